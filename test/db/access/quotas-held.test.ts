import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRefreshStore } from '../../../src/db/refresh-store.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addOtherTenant, newWallet, OTHER_TENANT_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await addOtherTenant(database.db);
});
afterAll(() => database.close());

describe('wallets', () => {
  const store = () => createWalletStore(database.tenants);
  beforeEach(() => sql`delete from wallets`.execute(database.db));

  it('are taken up to the quota, the first ones first, and known ones always', async () => {
    const [first, second, third] = [newWallet(), newWallet(), newWallet()];
    await store().addUpTo(TENANT, 2, [first]);
    const added = await store().addUpTo(TENANT, 2, [second, third, { ...first, chains: ['ethereum', 'base'] }, { ...second }]);
    expect(added.map((entry) => entry?.created)).toEqual([true, undefined, false, false]);
    expect(added[2]?.wallet.chains).toEqual(['ethereum', 'base']);
    expect(await store().listAll(TENANT, { walletIds: null })).toHaveLength(2);
  });

  it('of other tenants do not count', async () => {
    await store().addUpTo(OTHER_TENANT_ID, 1, [newWallet()]);
    expect((await store().addUpTo(TENANT, 1, [newWallet()]))[0]?.created).toBe(true);
  });

  it('make room when they are followed no more', async () => {
    const [added] = await store().addUpTo(TENANT, 1, [newWallet()]);
    expect(await store().addUpTo(TENANT, 1, [newWallet()])).toEqual([undefined]);
    await store().delete(TENANT, added?.wallet.id ?? '');
    expect((await store().addUpTo(TENANT, 1, [newWallet()]))[0]?.created).toBe(true);
  });

  it('are never one too many, however many add at once', async () => {
    const calls = Array.from({ length: 8 }, () =>
      store().addUpTo(
        TENANT,
        25,
        Array.from({ length: 5 }, () => newWallet()),
      ),
    );
    const added = (await Promise.all(calls)).flat();
    expect(added.filter((entry) => entry !== undefined)).toHaveLength(25);
    expect(await store().listAll(TENANT, { walletIds: null })).toHaveLength(25);
  });
});

describe('refreshes', () => {
  const store = () => createRefreshStore(database.tenants);
  const start = (walletId: string, maxPerHour: number, tenantId = TENANT) =>
    store().startOrJoin(tenantId, {
      scope: { walletIds: [walletId], chains: null },
      sources: [{ walletId, chain: 'ethereum', kind: 'balances', status: 'pending', error: null }],
      deadlineAt: new Date(Date.now() + 60_000),
      lease: { runnerId: crypto.randomUUID(), leaseSeconds: 60 },
      maxPerHour,
    });
  let ids: readonly string[];
  beforeEach(async () => {
    await sql`delete from refreshes`.execute(database.db);
    const wallets = Array.from({ length: 6 }, () => newWallet());
    ids = (await createWalletStore(database.tenants).addMany(TENANT, wallets)).map(({ wallet }) => wallet.id);
  });

  it('of an hour are as many as may be, and whoever joins one starts none', async () => {
    const [first = '', second = '', third = ''] = ids;
    await start(first, 2);
    await start(second, 2);
    expect((await start(second, 2)).joined).toBe(true);
    await expect(start(third, 2)).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: expect.closeTo(3_600_000, -5) });
    expect((await start(third, 2, OTHER_TENANT_ID)).joined).toBe(false);
  });

  it('that were refused are not kept, and the hour passes', async () => {
    const [first = '', second = ''] = ids;
    await start(first, 1);
    await expect(start(second, 1)).rejects.toMatchObject({ code: 'rate_limited' });
    await sql`update refreshes set started_at = started_at - interval '20 minutes'`.execute(database.db);
    await expect(start(second, 1)).rejects.toMatchObject({ retryAfterMs: expect.closeTo(2_400_000, -5) });
    await sql`update refreshes set started_at = started_at - interval '41 minutes'`.execute(database.db);
    expect((await start(second, 1)).joined).toBe(false);
    const [none = ''] = ids.slice(2);
    await expect(start(none, 0)).rejects.toMatchObject({ code: 'rate_limited' });
  });

  it('are never one too many, however many start at once', async () => {
    const outcomes = await Promise.allSettled(ids.map((id) => start(id, 3)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });
});
