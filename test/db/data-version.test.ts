import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAssetStore } from '../../src/db/asset-store.ts';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { noteChange, SHARED_DATA_ID } from '../../src/db/data-version.ts';
import { createRpcEndpointStore } from '../../src/db/endpoints/rpc-endpoint-store.ts';
import { createSnapshotStore } from '../../src/db/history/snapshot-store.ts';
import { createLedgerStore } from '../../src/db/ledger/ledger-store.ts';
import { createTransactionStore } from '../../src/db/ledger/transaction-store.ts';
import { createPriceStore } from '../../src/db/price-store.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function versionOf(tenantId: string): Promise<bigint> {
  const row = await database.db
    .selectFrom('data_versions')
    .select('version')
    .where('tenant_id', '=', tenantId)
    .executeTakeFirst();
  return BigInt(row?.version ?? 0);
}

const ADDRESS = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const ETHER = { chain: 'ethereum', address: null, standard: 'native', symbol: 'ETH', name: 'Ether', decimals: 18 } as const;
const MOVEMENT = {
  chain: 'ethereum',
  kind: 'deposit',
  amountRaw: 1n,
  counterparty: null,
  txHash: null,
  blockNumber: null,
  origin: 'manual',
  price: null,
  note: null,
} as const;

const SNAPSHOT = { at: new Date(), grade: 'full', missing: [], excludedAssetIds: [] } as const;
const ALL_ENTRIES = {
  ...{ walletIds: null, chains: null, assetIds: null, types: null, origins: null, from: null, to: null, after: null },
  limit: 9,
};

describe('every write that shows in an answer', () => {
  it('counts as a change of what the tenant sees', async () => {
    const wallets = createWalletStore(database.tenants);
    const assets = createAssetStore(database.tenants);
    const [added] = await wallets.addMany(DEFAULT_TENANT_ID, [
      { family: 'evm', address: ADDRESS, name: null, label: null, chains: ['ethereum'] },
    ]);
    const [ether] = await assets.upsertMany([{ ...ETHER, flags: [], listed: true }]);
    const walletId = added?.wallet.id ?? '';
    const source = { walletId, chain: 'ethereum', kind: 'balances' } as const;
    const error = { code: 'upstream_timeout', provider: null } as const;
    const endpoints = createRpcEndpointStore(database.tenants);
    const entries = createTransactionStore(database.tenants);
    const newest = async () => ({ id: (await entries.list(DEFAULT_TENANT_ID, ALL_ENTRIES))[0]?.id ?? '', ifVersion: null });
    const movement = (reference: string) => ({
      ...MOVEMENT,
      walletId,
      assetId: ether?.id ?? '',
      occurredAt: new Date(),
      reference,
    });
    const writes = [
      () => wallets.setLabel(DEFAULT_TENANT_ID, walletId, { label: 'Mine' }),
      () => assets.updateSettings(DEFAULT_TENANT_ID, ether?.id ?? '', { spam: 'spam' }),
      () =>
        createBalanceStore(database.tenants).saveReadings(DEFAULT_TENANT_ID, [
          { ...source, status: 'failed', attemptedAt: new Date(), error },
        ]),
      () => createLedgerStore(database.tenants).addMany(DEFAULT_TENANT_ID, [movement('a')]),
      () => entries.addNew(DEFAULT_TENANT_ID, [movement('b')]),
      () => entries.addAll(DEFAULT_TENANT_ID, [movement('c')]),
      async () => entries.update(DEFAULT_TENANT_ID, { ...(await newest()), change: (entry) => ({ ...entry, note: 'Mine' }) }),
      async () => entries.delete(DEFAULT_TENANT_ID, await newest()),
      () => createSnapshotStore(database.tenants).take(DEFAULT_TENANT_ID, SNAPSHOT),
      () => endpoints.add(DEFAULT_TENANT_ID, { chain: 'base', url: 'https://a.example/', most: 1 }),
      async () => endpoints.remove(DEFAULT_TENANT_ID, (await endpoints.list(DEFAULT_TENANT_ID))[0]?.id ?? ''),
      () => wallets.delete(DEFAULT_TENANT_ID, walletId),
    ];
    for (const write of writes) {
      const before = await versionOf(DEFAULT_TENANT_ID);
      await write();
      expect(await versionOf(DEFAULT_TENANT_ID), write.toString()).toBe(before + 1n);
    }
  });

  it('of what all share counts for all', async () => {
    const [ether] = await createAssetStore(database.tenants).upsertMany([{ ...ETHER, flags: [], listed: true }]);
    const prices = createPriceStore(database.tenants);
    const market = { lastGood: null, suspect: null, checkedAt: new Date(), attempts: [] };
    const writes = [
      () => createAssetStore(database.tenants).upsertMany([{ ...ETHER, flags: [], listed: true }]),
      () => prices.savePrices(new Map([[ether?.id ?? '', market]])),
      () => prices.saveRates([{ currency: 'EUR', perUsd: '0.9', source: 'test', quotedAt: new Date() }]),
    ];
    for (const write of writes) {
      const before = await versionOf(SHARED_DATA_ID);
      await write();
      expect(await versionOf(SHARED_DATA_ID), write.toString()).toBe(before + 1n);
    }
  });
});

it('counts changes that happen at once one by one', async () => {
  const before = await versionOf(SHARED_DATA_ID);
  await Promise.all(Array.from({ length: 20 }, () => noteChange(database.db, SHARED_DATA_ID)));
  expect(await versionOf(SHARED_DATA_ID)).toBe(before + 20n);
});
