import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { historyExample } from '../../../src/api/history-example.ts';
import { performanceExample } from '../../../src/api/performance-example.ts';
import { redactHistory } from '../../../src/api/presenters/percent-history.ts';
import { redactPerformance } from '../../../src/api/presenters/percent-performance.ts';
import { redactPortfolio } from '../../../src/api/presenters/percent-portfolio.ts';
import { presentPortfolio } from '../../../src/api/presenters/portfolio.ts';
import type { HistoryWire } from '../../../src/api/schemas/history.ts';
import { percentHistorySchema, percentPerformanceSchema, percentPortfolioSchema } from '../../../src/api/schemas/percent.ts';
import { chains } from '../../../src/domain/chains.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import type { SourceReport, ValuedHolding } from '../../../src/domain/portfolio.ts';
import { buildPortfolio } from '../../../src/domain/portfolio-builder.ts';
import { valueHolding } from '../../../src/domain/valuation.ts';
import {
  buildAsset,
  buildContext,
  buildHolding,
  buildPrice,
  buildSourceReport,
  FRESH,
  NOW,
  USD,
} from '../../support/builders.ts';

const bySlug = new Map(chains.map((chain) => [chain.slug, chain]));

/** Of seven digits and more, so that none is in an answer by chance. */
const amounts = fc.bigInt({ min: 1_000_003n, max: 10n ** 24n });
const prices = fc
  .tuple(fc.integer({ min: 1_000_003, max: 10 ** 9 }), fc.integer({ min: -9, max: 2 }))
  .map(([digits, shift]) => new Decimal(digits).shiftedBy(shift));
const factors = fc.bigInt({ min: 2n, max: 10n ** 12n });
const word = fc.stringMatching(/^[1-9a-f]{40}$/);
const uuids = fc.uuid({ version: 7 });

const holdings = fc.array(
  fc.record({
    amountRaw: amounts,
    price: fc.option(prices, { freq: 5 }),
    asset: fc.record({ address: word.map((digits) => `0x${digits}`), chain: fc.constantFrom('ethereum', 'base'), id: uuids }),
    walletId: fc.constantFrom('0198b000-0000-7000-8000-00000000000a', '0198b000-0000-7000-8000-00000000000b'),
  }),
  { minLength: 1, maxLength: 8 },
);
type Held = {
  readonly amountRaw: bigint;
  readonly price: Decimal | null;
  readonly asset: { readonly address: string; readonly chain: string; readonly id: string };
  readonly walletId: string;
};

function present(held: readonly Held[], factor = 1n) {
  const valued = held.map(({ amountRaw, price, asset, walletId }) => {
    const holding = buildHolding({ amountRaw: amountRaw * factor, asset: buildAsset(asset), walletId });
    const quote = price === null ? { value: null, status: 'missing' as const } : { value: price };
    return valueHolding(holding, buildContext({ price: buildPrice(quote) }), FRESH);
  });
  const sources = held.map(({ walletId, asset: { chain } }) => buildSourceReport({ walletId, chain }));
  return presentAll(valued, sources);
}

function presentAll(valued: readonly ValuedHolding[], sources: readonly SourceReport[]) {
  const parts = { currency: 'USD', fx: USD, now: NOW, holdings: valued, sources, minValue: null, includeSpam: false };
  return presentPortfolio(buildPortfolio(parts), bySlug);
}

/** Every string and number below these names, wherever they are. */
function collect(value: unknown, names: ReadonlySet<string>, isWanted = false): string[] {
  if (value === null || typeof value === 'boolean') return [];
  if (typeof value !== 'object') return isWanted ? [String(value)] : [];
  if (Array.isArray(value)) return value.flatMap((item) => collect(item, names, isWanted));
  return Object.entries(value).flatMap(([name, item]) => collect(item, names, isWanted || names.has(name)));
}

const SECRET = new Set([
  ...['balance_raw', 'balance', 'usd_value', 'value', 'total_value', 'total_usd_value', 'wallet_id', 'token_address', 'asset_id'],
]);

function expectNone(answer: unknown, secrets: readonly string[]): void {
  const text = JSON.stringify(answer).toLowerCase();
  const telling = secrets.flatMap((secret) => [secret, ...secret.split('.')]).filter((part) => part.length > 6);
  for (const secret of telling) expect(text).not.toContain(secret.toLowerCase());
}

describe('a portfolio for those who may see shares only', () => {
  it('holds no digits of an amount or a value, no address and no wallet, and only what is documented', () => {
    fc.assert(
      fc.property(holdings, (held) => {
        const full = present(held);
        const redacted = redactPortfolio(full);
        expect(percentPortfolioSchema.parse(redacted)).toEqual(redacted);
        const secrets = collect(full, SECRET);
        expect(secrets.length).toBeGreaterThan(5);
        expectNone(redacted, secrets);
      }),
    );
  });

  it('is the same for a portfolio that is larger by a factor', () => {
    fc.assert(
      fc.property(holdings, factors, (held, factor) => {
        expect(redactPortfolio(present(held, factor))).toEqual(redactPortfolio(present(held)));
      }),
    );
  });

  it('has no share from which the amounts could be worked out', () => {
    fc.assert(
      fc.property(holdings, (held) => {
        const { by_asset, by_chain } = redactPortfolio(present(held));
        for (const { share } of [...by_asset, ...by_chain]) expect(share ?? '0').toMatch(/^[01](\.\d{1,4})?$/);
      }),
    );
  });

  it('tells the worst state and the oldest read of a chain, however many wallets there are', () => {
    const old = new Date(NOW.getTime() - 60_000);
    const read = (...sources: readonly SourceReport[]) => redactPortfolio(presentAll([], sources)).sources;
    const good = buildSourceReport({ chain: 'base' });
    const stale = buildSourceReport({ chain: 'base', status: 'stale', observedAt: old, ageSeconds: 60 });
    const never = buildSourceReport({ chain: 'base', status: 'never', observedAt: null, ageSeconds: null });
    const told = { chain: 'base', kind: 'balances', status: 'stale', observed_at: old.toISOString(), age_seconds: 60 };
    expect(read(good, stale, good)).toEqual([told]);
    expect(read(good, never, stale)).toEqual([{ ...told, status: 'never', observed_at: null, age_seconds: null }]);
  });
});

const values = fc.array(fc.option(fc.bigInt({ min: 1_000_003n, max: 10n ** 15n }), { freq: 6 }), { minLength: 2, maxLength: 20 });

function charted(worth: readonly (bigint | null)[], factor = 1n): HistoryWire {
  const [first] = historyExample.points;
  if (first === undefined) throw new Error('the example has points');
  const points = worth.map((value) => {
    const text = value === null ? null : (value * factor).toString();
    return { ...first, value: text, usd_value: text, value_reason: value === null ? ('no_snapshot' as const) : null };
  });
  const series = [
    { wallet_id: null, asset: present([{ ...HELD, price: new Decimal(1) }]).by_asset[0] ?? null, points },
    { wallet_id: HELD.walletId, asset: null, points },
  ];
  return { ...historyExample, points, series };
}
const HELD = {
  amountRaw: 1_000_003n,
  walletId: '0198b000-0000-7000-8000-00000000000a',
  asset: { address: `0x${'ab'.repeat(20)}`, chain: 'base', id: '0198a000-0000-7000-8000-000000000009' },
};

describe('a history for those who may see returns only', () => {
  it('is an index from 100 on, with no digits of a value and no wallet', () => {
    fc.assert(
      fc.property(values, factors, (worth, factor) => {
        const full = charted(worth);
        const redacted = redactHistory(full);
        expect(percentHistorySchema.parse(redacted)).toEqual(redacted);
        expectNone(redacted, collect(full, new Set(['value', 'usd_value', 'wallet_id', 'token_address', 'asset_id'])));
        expect(redacted.points.find(({ index }) => index !== null)?.index ?? '100').toBe('100');
        expect(redacted.points.map(({ index }) => index === null)).toEqual(worth.map((value) => value === null));
        expect(redactHistory(charted(worth, factor))).toEqual(redacted);
      }),
    );
  });

  it('tells what moved: half as much again is 150, and a series its share of the whole', () => {
    const { points, series } = redactHistory(charted([2_000_000n, null, 3_000_000n, 1_234_567n]));
    expect(points.map(({ index }) => index)).toEqual(['100', null, '150', '61.73']);
    expect(series.map((each) => each.points.map(({ share }) => share))).toEqual([['1', null, '1', '1']]);
  });
});

it('a value that grew many times over is not told to the last digit', () => {
  const { points } = redactHistory(charted([3n, 37_037_036_703n]));
  expect(points.map(({ index }) => index)).toEqual(['100', '1234600000000']);
  const { returns } = performanceExample;
  const grown = { ...performanceExample, returns: { ...returns, roi: { value: '-12345.678901', reason: null } } };
  expect(redactPerformance(grown).returns.roi.value).toBe('-12346');
});

/** The performance with other sums of money in each place where there are any. */
function withMoney<T>(value: T, next: () => string, isMoney = false): T {
  if (typeof value === 'string') return (isMoney && /^-?\d+(\.\d+)?$/.test(value) ? next() : value) as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => withMoney(item, next, isMoney)) as T;
  const places = /^(start_value|end_value|gain|value_difference|flows|pnl)$/;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isSum = name === 'value' && 'share' in value;
      return [name, withMoney(item, next, (isMoney && name !== 'cost_basis') || places.test(name) || isSum)];
    }),
  ) as T;
}

describe('a performance for those who may see returns only', () => {
  it('holds no sum of money, no address and no wallet, and is the same whatever the sums are', () => {
    fc.assert(
      fc.property(fc.infiniteStream(amounts), (stream) => {
        const sums: string[] = [];
        const full = withMoney(performanceExample, () => {
          const sum = `${stream.next().value}`;
          sums.push(sum);
          return sum;
        });
        const redacted = redactPerformance(full);
        expect(sums.length).toBeGreaterThan(25);
        expect(percentPerformanceSchema.parse(redacted)).toEqual(redacted);
        expectNone(redacted, [...sums, ...collect(full, new Set(['wallet_id', 'token_address', 'asset_id']))]);
        expect(redacted).toEqual(redactPerformance(performanceExample));
      }),
    );
  });

  it('keeps the returns, to four decimals', () => {
    const { returns, allocation, benchmark } = redactPerformance(performanceExample);
    expect(returns.money_weighted).toEqual({ value: '0.2066', reason: null });
    expect(returns.time_weighted_annual).toEqual({ value: null, reason: 'less_than_a_year' });
    expect(allocation.by_asset).toEqual([expect.objectContaining({ token_symbol: 'ETH', share: '1' })]);
    expect(benchmark?.rate_difference.value).toBe('0.055');
  });
});
