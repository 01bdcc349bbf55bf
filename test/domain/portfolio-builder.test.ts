import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal } from '../../src/domain/decimal.ts';
import type { ValuedHolding } from '../../src/domain/portfolio.ts';
import { buildPortfolio } from '../../src/domain/portfolio-builder.ts';
import { valueHolding } from '../../src/domain/valuation.ts';
import {
  buildAsset,
  buildContext,
  buildHolding,
  buildPrice,
  buildSourceReport,
  FRESH,
  MISSING_PRICE,
  NOW,
  USD,
} from '../support/builders.ts';

const BASE = { currency: 'USD', fx: USD, now: NOW, minValue: null, includeSpam: false, sources: [buildSourceReport()] };
const SPAM = { isSpam: true, reasons: ['bad_pattern'], decidedBy: 'rules' } as const;

function valued(id: string, amountRaw: bigint | null, context = buildContext(), chain = 'ethereum'): ValuedHolding {
  return valueHolding(buildHolding({ amountRaw, asset: buildAsset({ id, chain }) }), context, FRESH);
}

describe('buildPortfolio', () => {
  it('is complete and worth zero when there is nothing', () => {
    const portfolio = buildPortfolio({ ...BASE, holdings: [], sources: [] });
    expect(portfolio).toMatchObject({ complete: true, incompleteReasons: [], byAsset: [], unpricedCount: 0, asOf: null });
    expect(portfolio.totalUsdValue?.toFixed()).toBe('0');
  });

  it('has no total while nothing was ever read', () => {
    const never = buildSourceReport({ status: 'never', observedAt: null, block: null });
    const portfolio = buildPortfolio({ ...BASE, holdings: [], sources: [never] });
    expect(portfolio).toMatchObject({ complete: false, incompleteReasons: ['source_never_read'], totalUsdValue: null });
  });

  it('leaves a missing price out of the total and counts it', () => {
    const holdings = [valued('a', 5_000_000n), valued('b', 7n, buildContext({ price: MISSING_PRICE }))];
    const portfolio = buildPortfolio({ ...BASE, holdings });
    expect(portfolio.totalUsdValue?.toFixed()).toBe('5');
    expect(portfolio).toMatchObject({ complete: false, incompleteReasons: ['unpriced'], unpricedCount: 1 });
    expect(portfolio.byAsset.map((group) => group.key)).toEqual(['a', 'b']);
    expect(portfolio.byAsset[1]).toMatchObject({ usdValue: null, share: null, unpricedCount: 1 });
  });

  it('shows a quarantined holding without summing it', () => {
    const quarantined = buildContext({ price: buildPrice({ status: 'quarantined', value: new Decimal('1e9') }) });
    const portfolio = buildPortfolio({ ...BASE, holdings: [valued('a', 1_000_000n), valued('b', 1_000_000n, quarantined)] });
    expect(portfolio.totalUsdValue?.toFixed()).toBe('1');
    expect(portfolio).toMatchObject({ quarantinedCount: 1, incompleteReasons: ['quarantined'] });
    expect(portfolio.byAsset).toHaveLength(2);
  });

  it('hides spam from totals and lists unless it is asked for', () => {
    const holdings = [valued('a', 1_000_000n), valued('b', 9_000_000n, buildContext({ spam: SPAM }))];
    const hidden = buildPortfolio({ ...BASE, holdings });
    expect(hidden).toMatchObject({ complete: true, spamCount: 1 });
    expect(hidden.byAsset.map((group) => group.key)).toEqual(['a']);
    const shown = buildPortfolio({ ...BASE, holdings, includeSpam: true });
    expect(shown.byAsset.map((group) => group.key)).toEqual(['a', 'b']);
    expect(shown.totalUsdValue?.toFixed()).toBe('1');
  });

  it('keeps small values out of the lists but not out of the total', () => {
    const holdings = [valued('a', 5_000_000n), valued('b', 10_000n), valued('c', 3n, buildContext({ price: MISSING_PRICE }))];
    const portfolio = buildPortfolio({ ...BASE, holdings, minValue: new Decimal(1) });
    expect(portfolio.byAsset.map((group) => group.key)).toEqual(['a', 'c']);
    expect(portfolio.totalUsdValue?.toFixed()).toBe('5.01');
  });

  it.each([
    ['failed', 'source_failed'],
    ['stale', 'source_stale'],
    ['unsupported', 'source_unsupported'],
  ] as const)('names a source that is %s', (status, reason) => {
    const portfolio = buildPortfolio({ ...BASE, holdings: [valued('a', 1n)], sources: [buildSourceReport({ status })] });
    expect(portfolio).toMatchObject({ complete: false, incompleteReasons: [reason] });
  });

  it('tells the share of the total that is stale', () => {
    const old = buildContext({ price: buildPrice({ status: 'stale' }) });
    const portfolio = buildPortfolio({ ...BASE, holdings: [valued('a', 3_000_000n), valued('b', 1_000_000n, old)] });
    expect(portfolio.staleValueShare?.toFixed()).toBe('0.25');
    expect(portfolio.incompleteReasons).toEqual(['price_stale']);
  });

  it('names a chain whose wallets were read at different blocks', () => {
    const sources = [buildSourceReport(), buildSourceReport({ walletId: 'other', block: { number: 101n, hash: '0xdef' } })];
    expect(buildPortfolio({ ...BASE, holdings: [], sources }).mixedBlockChains).toEqual(['ethereum']);
  });

  it('adds up to the same total by asset, by chain and by wallet, to the last digit', () => {
    const holding = fc.record({
      walletId: fc.constantFrom('w1', 'w2', 'w3'),
      asset: fc.constantFrom('a', 'b', 'c', 'd'),
      chain: fc.constantFrom('ethereum', 'base'),
      amountRaw: fc.option(fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })),
      price: fc.option(fc.bigInt({ min: 1n, max: 10n ** 30n })),
    });
    fc.assert(
      fc.property(fc.array(holding, { maxLength: 30 }), (items) => {
        const holdings = items.map(({ walletId, asset, chain, amountRaw, price }) =>
          valueHolding(
            buildHolding({ walletId, amountRaw, asset: buildAsset({ id: `${chain}/${asset}`, chain, decimals: 18 }) }),
            buildContext({
              price: price === null ? MISSING_PRICE : buildPrice({ value: new Decimal(price.toString()).shiftedBy(-25) }),
            }),
            FRESH,
          ),
        );
        const { byAsset, byChain, byWallet, totalUsdValue } = buildPortfolio({ ...BASE, holdings });
        for (const groups of [byAsset, byChain, byWallet]) {
          const sum = groups.reduce((total, group) => total.plus(group.usdValue ?? 0), new Decimal(0));
          expect(sum.toFixed()).toBe((totalUsdValue ?? new Decimal(0)).toFixed());
        }
      }),
      { numRuns: 300 },
    );
  });
});
