import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { findKnownFrom } from '../../../src/db/history/past-snapshots.ts';
import { createSnapshotStore } from '../../../src/db/history/snapshot-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addAsset, amountOf, newWallet, readingOf } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const day = (count: number): Date => new Date(Date.UTC(2026, 0, count, 12));

it('knows a chain that a wallet gained later from then on only, so that what was before can be filled in', async () => {
  const { db, tenants } = database;
  const [balances, snapshots, wallets] = [createBalanceStore(tenants), createSnapshotStore(tenants), createWalletStore(tenants)];
  const take = (count: number) => snapshots.take(TENANT, { at: day(count), grade: 'full', missing: [], excludedAssetIds: [] });
  const added = newWallet();
  const [first] = await wallets.addMany(TENANT, [added]);
  if (first === undefined) throw new Error('no wallet');
  await sql`update wallets set created_at = ${day(1)}`.execute(db);
  await sql`update wallet_chains set created_at = ${day(1)}`.execute(db);
  const ether = await addAsset(db);
  await balances.saveReadings(TENANT, [readingOf(first.wallet, 0, [amountOf(ether, 1n)], { observedAt: day(1) })]);
  for (const count of [2, 3]) await take(count);
  await wallets.addMany(TENANT, [{ ...added, chains: ['base', 'optimism'] }]);
  await sql`update wallet_chains set created_at = ${day(4)} where chain <> 'ethereum'`.execute(db);
  const token = await addAsset(db, { chain: 'base' });
  await balances.saveReadings(TENANT, [
    readingOf(first.wallet, 0, [amountOf(token, 50n)], { chain: 'base', observedAt: day(4) }),
    readingOf(first.wallet, 0, [], { chain: 'optimism', observedAt: day(4) }),
  ]);
  await take(5);
  const knownFrom = (chain: string) => findKnownFrom(db, TENANT, { walletId: first.wallet.id, chain });
  expect(await knownFrom('ethereum')).toEqual(day(2));
  expect(await knownFrom('base')).toEqual(day(5));
  // Nothing is held there, which is known as well.
  expect(await knownFrom('optimism')).toEqual(day(5));
});
