import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { createPerformanceWorld, type PerformanceWorld } from './performance-world.ts';

/** Noon of a day of January 2026, or another hour of it. */
const day = (count: number, hour = 12): Date => new Date(Date.UTC(2026, 0, count, hour));

let world: PerformanceWorld;
let wallet: Wallet;
let token: Asset;
beforeEach(async () => {
  world = await createPerformanceWorld();
  world.setClock(day(1));
  wallet = await world.follow();
  await world.db
    .updateTable('wallets')
    .set({ created_at: day(1, 0) } as never)
    .execute();
  token = await world.addAsset();
});
afterEach(() => world.close());

/** A snapshot of this many tokens (hundredths) at this price. */
async function see(moment: Date, held: bigint, price: string | null, asset = token): Promise<void> {
  world.setClock(moment);
  await world.hold(wallet, [[asset, held]]);
  if (price !== null) await world.quote(asset, price);
  await world.take(moment);
}

it('has a reason for each figure while there is no history', async () => {
  const found = await world.measure({ benchmark: 'btc:50,eth:50', period: '1M' });
  const none = { value: null, reason: 'no_snapshot' };
  expect(found).toMatchObject({ startsAt: null, endsAt: null, startValue: null, gain: null, incompleteReasons: ['no_snapshot'] });
  expect(found.returns).toMatchObject({ timeWeighted: none, moneyWeighted: none, modifiedDietz: none, simple: none });
  expect(found.risk).toMatchObject({ volatility: { reason: 'too_few_days' }, maxDrawdown: none, calmar: none });
  expect(found.benchmark).toMatchObject({ endValue: none, timeWeighted: none });
  expect(found.allocation).toMatchObject({ byAsset: [], concentration: null });
});

it('tells what there is after one snapshot, and no rate', async () => {
  await see(day(1), 1000n, '100');
  const found = await world.measure();
  expect(found.endValue?.toFixed()).toBe('1000');
  expect(found.gain).toBeNull();
  expect(found.returns.timeWeighted).toEqual({ value: null, reason: 'one_snapshot' });
  expect(found.risk.bestDay).toEqual({ value: null, reason: 'too_few_days' });
  expect(found.pnl.unrealised.toFixed()).toBe('0');
  expect(found.allocation.byAsset[0]?.share?.toFixed()).toBe('1');
});

it('leaves days without a snapshot out of the daily figures, not out of the return', async () => {
  await see(day(1), 1000n, '100');
  await see(day(2), 1000n, '101');
  await see(day(6), 1000n, '202');
  await see(day(7), 1000n, '204.02');
  const found = await world.measure();
  expect(found.snapshots).toMatchObject({ full: 4, daysWithout: 3 });
  expect(found.incompleteReasons).toEqual(['days_without_snapshot']);
  expect(found.returns.timeWeighted.value).toBeCloseTo(1.0402, 12);
  // Doubling took four days: it is no day's return.
  expect(found.risk.days).toBe(2);
  expect(found.risk.bestDay.value?.rate).toBeCloseTo(0.01, 12);
});

it('values what came within a day at the hour that shows it', async () => {
  await see(day(1), 1000n, '100');
  await see(day(2, 9), 1000n, '200');
  await see(day(2, 10), 11_000n, '200');
  await see(day(2, 20), 11_000n, '100');
  // Doubled, then ten times as much, then halved: nothing was earned by the rate. By the day's close alone it would look like no gain of 1,000 on 1,000.
  const found = await world.measure();
  expect(found.returns.timeWeighted.value).toBeCloseTo(0, 14);
  expect(found.flows.unexplained.toFixed()).toBe('20000');
  expect(found.gain?.toFixed()).toBe('-10000');
  expect(found.risk.days).toBe(1);
});

it('values what came and went within one day', async () => {
  await see(day(1), 1000n, '100');
  await world.enter({ wallet, asset: token, kind: 'deposit', amountRaw: 1000n, at: day(2, 5) });
  await see(day(2, 6), 2000n, '100');
  await world.enter({ wallet, asset: token, kind: 'withdrawal', amountRaw: -1000n, at: day(2, 17) });
  await see(day(2, 18), 1000n, '200');
  await see(day(3), 1000n, '200');
  const { gain, returns, flows, pnl } = await world.measure();
  // 1,000 came, doubled and left, as did what stays.
  expect([gain, flows.in, flows.out, pnl.gain, pnl.realised].map((value) => value?.toFixed())).toEqual([
    '2000',
    '1000',
    '2000',
    '2000',
    '1000',
  ]);
  expect(returns.timeWeighted.value).toBeCloseTo(1, 12);
});

it('does not see deposits and withdrawals, whatever their size', async () => {
  await see(day(1), 1000n, '100');
  await see(day(2), 50n, '110');
  await see(day(3), 70_000n, '121');
  await see(day(4), 3n, '133.1');
  expect((await world.measure()).returns.timeWeighted.value).toBeCloseTo(0.331, 12);
});

it('counts exchanges and income as earned, and what was added as a deposit', async () => {
  const other = await world.addAsset();
  const fill = async (moment: Date, amounts: readonly (readonly [Asset, bigint])[]): Promise<void> => {
    world.setClock(moment);
    await world.hold(wallet, amounts);
    await world.take(moment);
  };
  await world.quote(token, '100');
  await world.quote(other, '10');
  await see(day(1), 1000n, '100');
  const at = day(2, 9);
  await world.enter({ wallet, asset: token, kind: 'trade', amountRaw: -500n, at });
  await world.enter({ wallet, asset: other, kind: 'trade', amountRaw: 5500n, at });
  await fill(day(2), [
    [token, 500n],
    [other, 5500n],
  ]);
  await world.enter({ wallet, asset: other, kind: 'income', amountRaw: 500n, at: day(3, 9) });
  await fill(day(3), [[other, 6000n]]);
  const second = await world.follow();
  await world.db
    .updateTable('wallets')
    .set({ created_at: day(4, 9) } as never)
    .where('id', '=', second.id)
    .execute();
  world.setClock(day(4));
  await world.hold(second, [[token, 200n]]);
  await world.take(day(4));
  const found = await world.measure();
  // 1,000 of tokens; 500 of them became 550; 50 were earned: 1.1. The 200 of the new wallet earned nothing.
  expect(found.returns.timeWeighted.value).toBeCloseTo(0.1, 14);
  expect([found.flows.opening, found.flows.income, found.endValue].map((value) => value?.toFixed())).toEqual([
    '200',
    '50',
    '1300',
  ]);
  expect(found.pnl.gain.toFixed()).toBe('50');
  expect(found.pnl.income.toFixed()).toBe('50');
  expect(found.allocation.byWallet.map(({ value }) => value.toFixed())).toEqual(['1100', '200']);
});

it('never takes a price that was found for a gain, and says whose cost is not known', async () => {
  const late = await world.addAsset();
  await see(day(1), 1000n, '100');
  await see(day(2), 700n, null, late);
  await see(day(3), 700n, '50', late);
  await see(day(4), 700n, '55', late);
  const found = await world.measure();
  expect(found.incompleteReasons).toEqual(['unpriced']);
  expect(found.unpriced.map(({ id }) => id)).toEqual([late.id]);
  expect(found.flows).toMatchObject({ unpricedCount: 1 });
  expect(found.flows.revalued.toFixed()).toBe('350');
  expect(found.gain?.toFixed()).toBe('35');
  expect(found.returns.timeWeighted.value).toBeCloseTo(35 / 1350, 12);
  const asset = found.pnl.assets.find((one) => one.asset.id === late.id);
  expect(asset).toMatchObject({ cost: { value: null, reason: 'cost_unknown' }, unrealised: { reason: 'cost_unknown' } });
  expect(asset?.uncostedQuantity.toFixed()).toBe('7');
});

it('prices by the word of an entry only what moved when it counts', async () => {
  // Of twelve that were bought before, two were gone when the wallet was added.
  await world.enter({ wallet, asset: token, kind: 'deposit', amountRaw: 1200n, at: day(0), price: ['50', 'USD'] });
  await see(day(1), 1000n, '100');
  await see(day(2), 1500n, '100');
  const { pnl } = await world.measure();
  expect(pnl.assets[0]?.cost.value?.toFixed()).toBe('1000');
});

it('says when a currency has no rate', async () => {
  await see(day(1), 1000n, '100');
  await see(day(2), 1000n, '110');
  const found = await world.measure({ currency: 'XYZ' });
  expect(found).toMatchObject({ incompleteReasons: ['fx_missing'], startsAt: null, endValue: null });
  expect(found.returns.timeWeighted.value).toBeNull();
});

it('says which snapshots were not whole', async () => {
  await see(day(1), 1000n, '100');
  await world.fail(wallet, (day(2).getTime() - Date.UTC(2026, 10, 21, 12)) / 1000);
  await world.take(day(2));
  const found = await world.measure();
  expect(found.snapshots).toMatchObject({ full: 1, partial: 1 });
  expect(found.incompleteReasons).toEqual(['snapshot_partial']);
  expect(found.missing).toMatchObject([{ walletId: wallet.id, chain: 'ethereum' }]);
});

it('shows a yearly rate after a year', async () => {
  await see(new Date('2025-01-10T12:00:00Z'), 1000n, '100');
  await see(day(10), 1000n, '125');
  const { returns, risk } = await world.measure({ period: '1y' });
  expect(returns.timeWeightedAnnual.value).toBeCloseTo(0.25, 12);
  expect(returns.moneyWeightedAnnual.value).toBeCloseTo(0.25, 9);
  expect(risk.calmar).toEqual({ value: null, reason: 'nothing_fell' });
});
