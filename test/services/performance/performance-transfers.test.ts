import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLedgerStore } from '../../../src/db/ledger/ledger-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { createPerformanceWorld, type PerformanceWorld } from './performance-world.ts';

/** Noon of a day of January 2026, or another hour of it. */
const day = (count: number, hour = 12): Date => new Date(Date.UTC(2026, 0, count, hour));

let world: PerformanceWorld;
beforeEach(async () => {
  world = await createPerformanceWorld();
  world.setClock(day(1));
});
afterEach(() => world.close());

/** A wallet that is followed since the night before a day. */
async function followSince(count: number) {
  const wallet = await world.follow();
  await world.db
    .updateTable('wallets')
    .set({ created_at: day(count, 0) } as never)
    .where('id', '=', wallet.id)
    .execute();
  return wallet;
}

it('counts once what was sent to a wallet that is added only later', async () => {
  const wallet = await followSince(1);
  const token = await world.addAsset();
  await world.quote(token, '100');
  await world.hold(wallet, [[token, 1000n]]);
  await world.take(day(1));
  world.setClock(day(2));
  await world.hold(wallet, [[token, 0n]]);
  await world.take(day(2));
  const later = await followSince(3);
  const [blockNumber, txHash, counterparty] = [2n, '0xaa', later.address];
  await createLedgerStore(world.tenants).addMany(TENANT, [
    {
      ...{
        walletId: wallet.id,
        chain: 'ethereum',
        assetId: token.id,
        occurredAt: day(2, 6),
        kind: 'transfer',
        amountRaw: -1000n,
      },
      ...{ counterparty, txHash, blockNumber, origin: 'chain', price: null, note: null, reference: 'sent' },
    },
  ]);
  world.setClock(day(3));
  await world.hold(later, [[token, 1000n]]);
  await world.take(day(3));
  const { endValue, pnl, flows } = await world.measure();
  expect(endValue?.toFixed()).toBe('1000');
  expect(pnl.assets.map(({ quantity, value }) => [quantity.toFixed(), value.value?.toFixed()])).toEqual([['10', '1000']]);
  expect([flows.withdrawals, flows.opening, flows.inTransit].map((value) => value.toFixed())).toEqual(['-1000', '1000', '0']);
});
