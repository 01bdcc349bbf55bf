import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { createPerformanceWorld, type PerformanceWorld } from './performance-world.ts';

/** Noon of a day of January 2026, or another hour of it. */
const day = (count: number, hour = 12): Date => new Date(Date.UTC(2026, 0, count, hour));

let world: PerformanceWorld;
let wallet: Wallet;
let token: Asset;
let other: Asset;
beforeEach(async () => {
  world = await createPerformanceWorld();
  world.setClock(day(1));
  wallet = await world.follow();
  await world.db
    .updateTable('wallets')
    .set({ created_at: day(1, 0) } as never)
    .execute();
  token = await world.addAsset();
  other = await world.addAsset();
  await world.quote(token, '100');
  await see(day(1), 1000n, 0n);
});
afterEach(() => world.close());

async function see(moment: Date, held: bigint, got: bigint): Promise<void> {
  world.setClock(moment);
  await world.hold(wallet, [
    [token, held],
    [other, got],
  ]);
  await world.take(moment);
}

/** Nine of ten tokens for as many of another asset, on day 2. */
async function exchange(): Promise<void> {
  const at = day(2, 9);
  await world.enter({ wallet, asset: token, kind: 'trade', amountRaw: -900n, at });
  await world.enter({ wallet, asset: other, kind: 'trade', amountRaw: 900n, at });
}

it('does not take for lost what was given for something without a price, nor for a gain the price that is found', async () => {
  await exchange();
  await see(day(2), 100n, 900n);
  await see(day(3), 100n, 900n);
  const before = await world.measure();
  expect(before.returns.timeWeighted.value).toBe(0);
  expect(before.risk.maxDrawdown.value?.depth).toBe(0);
  expect([before.gain, before.endValue, before.flows.trades].map((value) => value?.toFixed())).toEqual(['0', '100', '-900']);
  expect(before.flows).toMatchObject({ unpricedCount: 1 });
  expect(before.incompleteReasons).toEqual(['unpriced']);

  await world.quote(other, '100');
  await see(day(4), 100n, 900n);
  const after = await world.measure();
  expect(after.returns.timeWeighted.value).toBe(0);
  expect([after.gain, after.endValue, after.flows.revalued].map((value) => value?.toFixed())).toEqual(['0', '1000', '900']);
});

it('does not take for lost what was given for what counts as spam', async () => {
  await world.quote(other, '100');
  await world.stores.assets.updateSettings(TENANT, other.id, { spam: 'spam' });
  await exchange();
  await see(day(2), 100n, 900n);
  const found = await world.measure();
  expect(found.returns.timeWeighted.value).toBe(0);
  expect([found.gain, found.flows.trades, found.flows.out].map((value) => value?.toFixed())).toEqual(['0', '-900', '900']);
});

it('does not take for lost what an amount shows only later', async () => {
  await world.quote(other, '100');
  await world.enter({ wallet, asset: token, kind: 'trade', amountRaw: -900n, at: day(2, 9) });
  await see(day(2), 100n, 0n);
  await world.enter({ wallet, asset: other, kind: 'trade', amountRaw: 900n, at: day(3, 9) });
  await see(day(3), 100n, 900n);
  const found = await world.measure();
  expect(found.returns.timeWeighted.value).toBe(0);
  expect(found.flows.trades.toFixed()).toBe('0');
});

it('keeps an exchange of everything for something with a price in the return', async () => {
  await world.quote(other, '110');
  await world.enter({ wallet, asset: token, kind: 'trade', amountRaw: -1000n, at: day(2, 9) });
  await world.enter({ wallet, asset: other, kind: 'trade', amountRaw: 900n, at: day(2, 9) });
  await see(day(2), 0n, 900n);
  const found = await world.measure();
  expect(found.returns.timeWeighted.value).toBeCloseTo(-0.01, 12);
  expect([found.gain, found.flows.in, found.flows.trades].map((value) => value?.toFixed())).toEqual(['-10', '0', '0']);
});
