import { afterAll, beforeAll, expect, it } from 'vitest';
import { findKnownFrom } from '../../../src/db/history/past-snapshots.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addWallet, at } from '../../support/store-fixtures.ts';
import { createPastWorld, type PastWorld, show } from './past-world.ts';

const DAY = 86_400;
let world: PastWorld;
let first: Wallet;
let again: Wallet;
beforeAll(async () => {
  world = await createPastWorld(at(5 * DAY));
  const token = await world.list();
  const live = async (day: number, wallet: Wallet | null): Promise<void> => {
    if (wallet !== null) await world.hold(wallet, token, day * DAY, 1000n);
    await world.quote(token, day * DAY, '2');
    await world.take(day * DAY);
  };
  first = await world.follow(-10);
  for (const day of [0, 1]) await live(day, first);
  await world.unfollow(first);
  await live(2, null);
  again = await addWallet(world.db, TENANT, { address: first.address });
  for (const day of [3, 4]) await live(day, again);
});
afterAll(() => world.close());

it('goes on with the history of a wallet that is added again, with nothing in between', async () => {
  expect(again.id).toBe(first.id);
  const query = { chains: null, assetIds: null, step: '1d', timeZone: 'UTC', currency: 'USD', fill: 'none' } as const;
  for (const walletIds of [null, [first.id]]) {
    const { points, series } = await world.history.getHistory(TENANT, {
      ...query,
      walletIds,
      series: 'wallet',
      from: at(0),
      to: at(4 * DAY + 60),
    });
    expect(points.map(({ usdValue }) => usdValue?.toFixed())).toEqual(['20', '20', '0', '20', '20']);
    expect(series.map(({ walletId }) => walletId)).toEqual([first.id]);
  }
  const values = await Promise.all(
    ['2026-11-21', '2026-11-22', '2026-11-23', '2026-11-24'].map(async (date) => {
      const { usdValue } = await world.statements.getStatement(TENANT, { date, timeZone: 'UTC', currency: 'USD' });
      return usdValue.toFixed();
    }),
  );
  expect(values).toEqual(['20', '20', '0', '20']);
});

it('calls unexplained what it comes back with, and has a backfill leave what is known as it is', async () => {
  const changes = await world.explain(2 * DAY, 4 * DAY, { walletIds: [again.id] });
  expect(show(changes)).toEqual({ from: '0', to: '20', unexplained: '20' });
  expect(await findKnownFrom(world.db, TENANT, { walletId: again.id, chain: 'ethereum' })).toEqual(at(0));
});
