import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import type { Changes } from '../../../src/services/history/changes-service.ts';
import { at } from '../../support/store-fixtures.ts';
import { createPastWorld, EVERYTHING, missingOf, type PastWorld } from './past-world.ts';

const place = fc.nat({ max: 2 });
const value = fc.integer({ min: 1, max: 10_000_000 }).map((cents) => (cents / 1000).toFixed(3));
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('hold' as const), wallet: place, asset: place, amount: fc.nat({ max: 99 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('quote' as const), asset: place, value }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('rate' as const), value }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('record' as const),
      wallet: place,
      asset: place,
      type: fc.constantFrom('deposit' as const, 'withdrawal' as const, 'internal' as const, 'trade' as const, 'fee' as const),
      amount: fc.integer({ min: -99, max: 99 }).filter((amount) => amount !== 0),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('exclude' as const), asset: place }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('unfollow' as const), wallet: fc.integer({ min: 1, max: 2 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('take' as const),
      away: fc.option(place),
      restMinutes: fc.integer({ min: 6, max: 90 }),
    }),
  },
);

type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

let world: PastWorld;
beforeAll(async () => {
  world = await createPastWorld();
});
afterAll(() => world.close());

/** Lets all of it happen, and tells when snapshots were taken. */
async function play(events: readonly Event[]): Promise<{ readonly moments: readonly number[]; readonly wallet: Wallet }> {
  await world.reset();
  const first = await world.follow(-10);
  const wallets = [first, await world.follow(-10), await world.follow(-10)];
  const assets = [await world.list(), await world.list({ decimals: 18 }), await world.list({ decimals: null })];
  const followed = new Set(wallets);
  const excluded = new Set<Asset>();
  const moments: number[] = [];
  await world.rate('EUR', 0, '0.9');
  let now = 0;
  for (const one of events) {
    now += 7;
    const wallet = 'wallet' in one ? wallets[one.wallet] : undefined;
    const asset = 'asset' in one ? assets[one.asset] : undefined;
    const isThere = wallet !== undefined && followed.has(wallet);
    if (one.kind === 'hold' && isThere && asset) await world.hold(wallet, asset, now, BigInt(one.amount));
    if (one.kind === 'quote' && asset) await world.quote(asset, now, one.value);
    if (one.kind === 'rate') await world.rate('EUR', now, one.value);
    if (one.kind === 'record' && isThere && asset) await world.record(wallet, asset, now, one.type, BigInt(one.amount));
    if (one.kind === 'exclude' && asset && !excluded.delete(asset)) excluded.add(asset);
    if (one.kind === 'unfollow' && isThere) {
      await world.unfollow(wallet);
      followed.delete(wallet);
    }
    if (one.kind === 'take') {
      const away = wallets[one.away ?? -1];
      await world.take(now, { missing: away === undefined ? [] : [missingOf(away)], excluded: [...excluded] });
      moments.push(now);
      now += one.restMinutes * 60;
    }
  }
  return { moments, wallet: first };
}

/** `isReclassified`: what was said of an asset changed somewhere, so that an end may be told as it was then, even where that makes no difference to the sum. */
function expectSum({ start, end, total, groups }: Changes, isReclassified: boolean): void {
  if (total === null) throw new Error('there is no total');
  const difference = total.end.minus(total.start);
  expect(Decimal.sum(0, ...total.parts.values()).toFixed()).toBe(difference.toFixed());
  expect([start.value?.toFixed(), end.value?.toFixed()]).toEqual([total.start.toFixed(), total.end.toFixed()]);
  if (!isReclassified) {
    expect(total.parts.has('spam_reclassified')).toBe(false);
    for (const { value: told, chartValue } of [start, end]) expect(told?.toFixed()).toBe(chartValue?.toFixed());
  }
  for (const group of groups) {
    expect(Decimal.sum(0, ...group.parts.values()).toFixed()).toBe(group.end.minus(group.start).toFixed());
  }
  expect(Decimal.sum(0, ...groups.map((group) => group.end.minus(group.start))).toFixed()).toBe(difference.toFixed());
}

/** What charts say of a moment: in between hours, and of the hour it is the last snapshot of. */
async function readChart(moment: number, step: '5m' | '1h'): Promise<string | undefined> {
  const options = { step, timeZone: 'UTC', currency: 'EUR', series: 'total', fill: 'none' } as const;
  const { points } = await world.history.getHistory(TENANT, {
    ...EVERYTHING,
    ...options,
    from: at(moment),
    to: new Date(at(moment).getTime() + 1),
  });
  if (points[0]?.at?.getTime() !== at(moment).getTime()) return undefined;
  return points[0].value?.toFixed() ?? '0';
}

it('adds up to the last digit whatever happened, and begins and ends with the values of the chart', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 15, maxLength: 40 }), fc.boolean(), async (all, isReclassified) => {
      const events = all.filter(({ kind }) => isReclassified || kind !== 'exclude');
      const { moments, wallet } = await play(events);
      if (moments.length === 0) return;
      const [first = 0, ...later] = [-1, ...moments];
      for (const to of later) {
        for (const from of [first, ...moments.filter((moment) => moment < to)].slice(-4)) {
          const changes = await world.explain(from, to, { currency: 'EUR' });
          expectSum(changes, isReclassified);
          const charts = [await readChart(to, '5m'), await readChart(to, '1h')];
          for (const chart of charts) if (chart !== undefined) expect(changes.end.chartValue?.toFixed()).toBe(chart);
          expect(charts[0]).toBeDefined();
        }
        const ofOne = await world.explain(first, to, { walletIds: [wallet.id], groupBy: 'wallet', currency: 'EUR' });
        expectSum(ofOne, isReclassified);
      }
    }),
    // Each run writes a past: one that fails is told as it is, since to make it smaller would take minutes.
    { numRuns: 6, endOnFailure: true },
  );
}, 120_000);
