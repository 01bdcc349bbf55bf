import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAssetStore } from '../../../src/db/asset-store.ts';
import { createBalanceStore } from '../../../src/db/balance-store.ts';
import { createHealingStore } from '../../../src/db/history/healing-store.ts';
import { chains } from '../../../src/domain/chains.ts';
import type { Reading } from '../../../src/domain/holding.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { createPastReader, type PastReaderDeps } from '../../../src/services/past/past-reader.ts';
import { addAsset, addWallet, amountOf, at, TIMEOUT } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const NOT_ASKED: NonNullable<ReturnType<PastReaderDeps['sources']['get']>> = {
  chain: 'ethereum',
  kinds: ['balances'],
  probe: () => Promise.reject(new Error('nobody asks how it is')),
  readBalances: () => Promise.reject(new Error('the present is not asked for')),
  describeTokens: () => Promise.reject(new Error('all tokens are known')),
};

it('tells nothing of a wallet of which one token could not be read, and what it lacks where a token refuses', async () => {
  const { db, tenants } = database;
  const [broken, refused, whole] = [await addWallet(db, TENANT), await addWallet(db, TENANT), await addWallet(db, TENANT)];
  const refusal = { code: 'upstream_reverted', provider: null } as const;
  const [good, bad] = [await addAsset(db), await addAsset(db)];
  const failed = { status: 'failed', asset: bad, error: TIMEOUT } as const;
  const ofAddress = (address: string, readings: readonly Reading[]) =>
    ({ address, kind: 'balances', status: 'ok', exhaustive: false, readings }) as const;
  const past = {
    chain: 'ethereum',
    readBalancesAt: async () => ({
      block: { number: 7n, hash: null },
      addresses: [
        ofAddress(broken.address, [amountOf(good, 5n), failed]),
        ofAddress(refused.address, [amountOf(good, 5n), { ...failed, error: refusal }]),
        ofAddress(whole.address, [amountOf(good, 5n), amountOf(bad, 0n)]),
      ],
    }),
  };
  const reader = createPastReader({
    chains,
    sources: new Map([['ethereum', NOT_ASKED]]),
    pasts: new Map([['ethereum', past]]),
    assets: createAssetStore(tenants),
    balances: createBalanceStore(tenants),
    healing: createHealingStore(tenants),
    listedTokens: () => [],
  });
  const query = { chain: 'ethereum', wallets: [broken, refused, whole], at: at(0), signal: new AbortController().signal };
  const { wallets } = await reader.read(TENANT, query);
  expect(wallets).toEqual([
    { walletId: broken.id, status: 'failed', error: TIMEOUT },
    { walletId: refused.id, status: 'ok', lacking: refusal, amounts: [{ assetId: good.id, amountRaw: 5n }] },
    {
      walletId: whole.id,
      status: 'ok',
      lacking: null,
      amounts: [
        { assetId: good.id, amountRaw: 5n },
        { assetId: bad.id, amountRaw: 0n },
      ],
    },
  ]);
});
