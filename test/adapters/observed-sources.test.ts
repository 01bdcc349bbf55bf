import { describe, expect, it } from 'vitest';
import { observeFxSource, observePriceSource } from '../../src/adapters/observed-sources.ts';
import type { PriceAnswer, PriceSource } from '../../src/adapters/price-source.ts';
import { AppError } from '../../src/domain/errors.ts';

const ASSET = { chain: 'ethereum', address: null };
const signal = new AbortController().signal;

function collect() {
  const told: { source: string; outcome: string; seconds: number }[] = [];
  return { told, tell: (call: { source: string; outcome: string; seconds: number }) => void told.push(call) };
}

function sourceOf(fetchPrices: PriceSource['fetchPrices']): PriceSource {
  return { id: 'defillama', supports: ({ chain }) => chain === 'ethereum', fetchPrices };
}

describe('an observed price source', () => {
  it.each([
    ['ok', { asset: ASSET, refused: { source: 'defillama', reason: 'unknown_asset' } }],
    ['upstream_timeout', { asset: ASSET, refused: { source: 'defillama', reason: 'source_failed', detail: 'upstream_timeout' } }],
  ] as const)('gives the same answers and tells %s', async (outcome, answer) => {
    const { told, tell } = collect();
    const answers = [answer as unknown as PriceAnswer];
    const source = observePriceSource(
      sourceOf(async () => answers),
      tell,
    );
    expect(await source.fetchPrices([ASSET], signal)).toBe(answers);
    expect(source.supports({ chain: 'base', address: null })).toBe(false);
    expect(told).toEqual([{ source: 'defillama', outcome, seconds: expect.any(Number) }]);
  });

  it('throws what it throws, and tells the code', async () => {
    const { told, tell } = collect();
    const error = new AppError('upstream_malformed', 'nonsense');
    const source = observePriceSource(
      sourceOf(() => Promise.reject(error)),
      tell,
    );
    await expect(source.fetchPrices([ASSET], signal)).rejects.toBe(error);
    expect(told[0]?.outcome).toBe('upstream_malformed');
  });
});

it('an observed currency source is told apart from the prices of the same vendor', async () => {
  const { told, tell } = collect();
  const rates = new Map();
  const source = observeFxSource({ id: 'coingecko', fetchRates: async () => rates }, tell);
  expect(await source.fetchRates(signal)).toBe(rates);
  const broken = observeFxSource({ id: 'coingecko', fetchRates: () => Promise.reject(new Error('planted')) }, tell);
  await expect(broken.fetchRates(signal)).rejects.toThrow('planted');
  expect(told.map(({ source: name, outcome }) => [name, outcome])).toEqual([
    ['coingecko_fx', 'ok'],
    ['coingecko_fx', 'internal'],
  ]);
});
