import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AssetStore, createAssetStore } from '../../src/db/asset-store.ts';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import {
  addAsset,
  addOtherTenant,
  addWallet,
  amountOf,
  countStatements,
  ETHER,
  newAsset,
  OTHER_TENANT_ID,
  readingOf,
  TIMEOUT,
  UNKNOWN_ID,
} from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: AssetStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createAssetStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());

describe('facts', () => {
  it('stores what is new and answers in the order given', async () => {
    const inputs = [
      newAsset({ flags: ['transfer_fee', 'pausable'], standard: 'spl-2022', chain: 'solana' }),
      ETHER,
      newAsset({ decimals: 255, symbol: null, name: null }),
      newAsset({ decimals: null, listed: true }),
    ];
    const assets = await store.upsertMany([...inputs, ...inputs.slice(0, 1)]);
    expect(assets).toEqual([...inputs, ...inputs.slice(0, 1)].map((input) => ({ ...input, id: expect.any(String) })));
    expect(await store.get(assets[0]?.id ?? '')).toEqual(assets[0]);
    expect(await store.getByRefs(inputs.toReversed())).toEqual(assets.slice(0, 4).toReversed());
  });

  it('refreshes the facts of what is known, but no null overwrites a known value', async () => {
    const before = await addAsset(database.db, { symbol: 'OLD', name: 'Old', decimals: 6, listed: true });
    const [after] = await store.upsertMany([
      { ...before, symbol: 'NEW', name: null, decimals: null, listed: false, flags: ['pausable'] },
    ]);
    expect(after).toEqual({ ...before, symbol: 'NEW', listed: false, flags: ['pausable'] });
  });

  it("has one coin of a chain's own, although its address is null", async () => {
    const results = await Promise.all(Array.from({ length: 8 }, () => store.upsertMany([ETHER])));
    expect(new Set(results.flat().map((asset) => asset.id)).size).toBe(1);
    const [onBase] = await store.upsertMany([{ ...ETHER, chain: 'base' }]);
    expect(onBase?.id).not.toBe(results[0]?.[0]?.id);
  });

  it('makes no duplicate and no deadlock when the same assets come at once in different orders', async () => {
    const inputs = Array.from({ length: 300 }, () => newAsset());
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        store.upsertMany((index % 2 === 0 ? inputs : inputs.toReversed()).map((input) => ({ ...input, symbol: `S${index}` }))),
      ),
    );
    expect(new Set(results.flat().map((asset) => asset.id)).size).toBe(300);
  });

  it('takes a thousand assets in few statements, and the names of hostile tokens', async () => {
    const inputs = Array.from({ length: 1000 }, (_, index) =>
      newAsset({ symbol: `\u0000\u202e'${index}\\",{}`, name: '\ud800x' }),
    );
    const counting = countStatements(database.tenants);
    const assets = await createAssetStore(counting.db).upsertMany(inputs);
    expect(counting.count()).toBe(3);
    expect(assets[7]).toMatchObject({ symbol: `\u202e'7\\",{}`, name: '\ufffdx' });
    expect(assets).toHaveLength(1000);
  });

  it('leaves out what it does not know', async () => {
    expect(await store.upsertMany([])).toEqual([]);
    expect(
      await store.getByRefs([
        { chain: 'ethereum', address: '0xnone' },
        { chain: 'nowhere', address: null },
      ]),
    ).toEqual([]);
    expect(await store.get(UNKNOWN_ID)).toBeUndefined();
    expect(await store.get('eip155:1/slip44:60')).toBeUndefined();
  });
});

describe('settings', () => {
  it('sets what the patch names and keeps the rest', async () => {
    const { id } = await addAsset(database.db);
    expect((await store.getSettings(TENANT, [id])).size).toBe(0);
    const none = { trackedAt: null, spam: null, manualPrice: null, acceptedPrice: null, version: 1 };
    expect(await store.updateSettings(TENANT, id, {})).toEqual(none);
    expect(await store.updateSettings(TENANT, id, { tracked: true, spam: 'spam' })).toEqual({
      ...none,
      version: 2,
      trackedAt: expect.any(Date),
      spam: 'spam',
    });
    const manualPrice = { value: '1.5', setAt: expect.any(Date) };
    expect(await store.updateSettings(TENANT, id, { manualPrice: '1.50' })).toEqual({
      ...none,
      version: 3,
      trackedAt: expect.any(Date),
      spam: 'spam',
      manualPrice,
    });
    const tiny = `0.${'0'.repeat(29)}1`;
    expect(await store.updateSettings(TENANT, id, { acceptedPrice: tiny, spam: null })).toEqual({
      ...none,
      version: 4,
      trackedAt: expect.any(Date),
      manualPrice,
      acceptedPrice: { value: tiny, acceptedAt: expect.any(Date) },
    });
    expect(await store.updateSettings(TENANT, id, { manualPrice: null, acceptedPrice: null })).toEqual({
      ...none,
      version: 5,
      trackedAt: expect.any(Date),
    });
    expect(await store.getSettings(TENANT, [id, UNKNOWN_ID])).toEqual(
      new Map([[id, { ...none, trackedAt: expect.any(Date), version: 5 }]]),
    );
  });

  it('lists the tokens that are tracked on a chain', async () => {
    const [a, b, elsewhere] = [
      await addAsset(database.db),
      await addAsset(database.db),
      await addAsset(database.db, { chain: 'base' }),
    ];
    for (const asset of [a, b, elsewhere]) await store.updateSettings(TENANT, asset.id, { tracked: true });
    await store.updateSettings(TENANT, b.id, { tracked: false });
    const tracked = (await store.listTracked(TENANT, 'ethereum')).map(({ asset }) => asset.address);
    expect(tracked).toContain(a.address);
    expect(tracked).not.toContain(b.address);
    expect(tracked).not.toContain(elsewhere.address);
    expect(await store.listTracked(OTHER_TENANT_ID, 'ethereum')).toEqual([]);
  });

  it('are each tenant’s own', async () => {
    const { id } = await addAsset(database.db);
    await store.updateSettings(TENANT, id, { spam: 'spam', tracked: true });
    expect((await store.getSettings(OTHER_TENANT_ID, [id])).size).toBe(0);
    expect(await store.updateSettings(OTHER_TENANT_ID, id, { spam: 'not_spam' })).toMatchObject({
      spam: 'not_spam',
      trackedAt: null,
    });
    expect((await store.getSettings(TENANT, [id])).get(id)).toMatchObject({ spam: 'spam', trackedAt: expect.any(Date) });
  });
});

describe('listing', () => {
  it('names what the tenant holds, tracks or has settings for, page by page', async () => {
    const chain = 'polygon';
    const [held, unknown, zero, tracked, untracked, priced, stranger] = await store.upsertMany(
      Array.from({ length: 7 }, () => newAsset({ chain })),
    );
    if (!held || !unknown || !zero || !tracked || !untracked || !priced || !stranger) throw new Error('not stored');
    const wallet = await addWallet(database.db, TENANT, { chains: [chain] });
    const balances = createBalanceStore(database.tenants);
    const save = (seconds: number, zeroAmount: bigint) =>
      balances.saveReadings(TENANT, [
        readingOf(
          wallet,
          seconds,
          [amountOf(held, 1n), { status: 'failed', asset: unknown, error: TIMEOUT }, amountOf(zero, zeroAmount)],
          { chain },
        ),
      ]);
    await save(1, 3n);
    await save(2, 0n);
    await store.updateSettings(TENANT, tracked.id, { tracked: true });
    await store.updateSettings(TENANT, untracked.id, { tracked: false });
    await store.updateSettings(TENANT, priced.id, { manualPrice: '2' });

    const expected = [held, unknown, tracked, priced].map((asset) => asset.id).sort();
    const first = await store.list(TENANT, { limit: 3, afterId: null, chain });
    expect(first.assets.map((asset) => asset.id)).toEqual(expected.slice(0, 3));
    expect(first.nextId).toBe(expected[2]);
    const second = await store.list(TENANT, { limit: 3, afterId: first.nextId, chain });
    expect(second).toEqual({
      assets: [priced, tracked, unknown, held].filter((asset) => asset.id === expected[3]),
      nextId: null,
    });
    expect((await store.list(TENANT, { limit: 100, afterId: null, chain: null })).assets.map((asset) => asset.id)).toEqual(
      expect.arrayContaining(expected),
    );
    expect((await store.list(OTHER_TENANT_ID, { limit: 100, afterId: null, chain })).assets).toEqual([]);
  });
});
