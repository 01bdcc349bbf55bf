import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createRefreshStore, type RefreshStore } from '../../src/db/refresh-store.ts';
import type { RefreshSource } from '../../src/domain/refresh.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { addOtherTenant, countStatements, OTHER_TENANT_ID, TIMEOUT, UNKNOWN_ID } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: RefreshStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createRefreshStore(database.db);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());

let sources: readonly RefreshSource[];
beforeEach(() => {
  sources = Array.from({ length: 3 }, () => ({
    walletId: crypto.randomUUID(),
    chain: 'ethereum',
    kind: 'balances',
    status: 'pending',
    error: null,
  }));
});
const ALL = { walletIds: null, chains: null };
const inMinutes = (minutes: number): Date => new Date(Date.now() + minutes * 60_000);
const start = (options: Partial<Parameters<RefreshStore['startOrJoin']>[1]> = {}, tenantId = TENANT) =>
  store.startOrJoin(tenantId, { scope: ALL, sources, deadlineAt: inMinutes(5), ...options });

it('starts a refresh and tells how it goes', async () => {
  const scope = { walletIds: [UNKNOWN_ID], chains: ['ethereum', 'base'] };
  const { refresh, joined } = await start({ scope });
  expect(joined).toBe(false);
  expect(refresh).toEqual({
    id: expect.any(String),
    status: 'running',
    scope,
    startedAt: expect.any(Date),
    finishedAt: null,
    sources,
  });
  const [first, second, third] = sources;
  if (!first || !second || !third) throw new Error('no sources');
  const outcomes: RefreshSource[] = [
    { ...third, status: 'ok' },
    { ...first, status: 'failed', error: TIMEOUT },
  ];
  await store.updateSources(TENANT, refresh.id, [...outcomes, { ...first, walletId: UNKNOWN_ID, status: 'ok' }]);
  await store.updateSources(TENANT, refresh.id, []);
  expect((await store.get(TENANT, refresh.id))?.sources).toEqual([outcomes[1], second, outcomes[0]]);
  await store.finish(TENANT, refresh.id);
  expect(await store.get(TENANT, refresh.id)).toMatchObject({ status: 'finished', finishedAt: expect.any(Date) });
});

it('joins the running refresh of the same set of sources, in any order, and starts a new one after its end', async () => {
  const first = await start();
  const second = await start({ sources: sources.toReversed(), scope: { walletIds: null, chains: ['ethereum'] } });
  expect(second).toEqual({ refresh: first.refresh, joined: true });
  expect((await start({ sources: sources.slice(1) })).joined).toBe(false);
  expect((await start({ sources: sources.map((source) => ({ ...source, kind: 'stake' })) })).joined).toBe(false);
  await store.finish(TENANT, first.refresh.id);
  const third = await start();
  expect(third.joined).toBe(false);
  expect(third.refresh.id).not.toBe(first.refresh.id);
});

it('shares one refresh between all that start it at once', async () => {
  for (let round = 0; round < 10; round++) {
    const started = await Promise.all(Array.from({ length: 8 }, () => start()));
    expect(started.filter(({ joined }) => !joined)).toHaveLength(1);
    expect(new Set(started.map(({ refresh }) => refresh.id)).size).toBe(1);
    await store.finish(TENANT, started[0]?.refresh.id ?? '');
  }
});

it('gives everybody a refresh while others are finishing', async () => {
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 10; round++) {
        const { refresh } = await start();
        expect(refresh.sources).toEqual(sources);
        await store.finish(TENANT, refresh.id);
      }
    }),
  );
});

it('calls one past its deadline interrupted and does not wait for it', async () => {
  const late = await start({ deadlineAt: inMinutes(-1) });
  expect(await store.get(TENANT, late.refresh.id)).toMatchObject({ status: 'interrupted', finishedAt: expect.any(Date) });
  const next = await start();
  expect(next.joined).toBe(false);
  await store.finish(TENANT, late.refresh.id);
  expect(await store.get(TENANT, late.refresh.id)).toMatchObject({ status: 'interrupted' });
  expect(await store.get(TENANT, next.refresh.id)).toMatchObject({ status: 'running' });
});

it('interrupts all that run when the process that owned them is gone', async () => {
  const [mine, theirs, done] = [await start(), await start({}, OTHER_TENANT_ID), await start({ sources: [] })];
  await store.finish(TENANT, done.refresh.id);
  expect(await store.interruptAll()).toBeGreaterThanOrEqual(2);
  expect(await store.interruptAll()).toBe(0);
  expect(await store.get(TENANT, mine.refresh.id)).toMatchObject({ status: 'interrupted' });
  expect(await store.get(OTHER_TENANT_ID, theirs.refresh.id)).toMatchObject({ status: 'interrupted' });
  expect(await store.get(TENANT, done.refresh.id)).toMatchObject({ status: 'finished', sources: [] });
});

it('forgets refreshes that ended a day ago', async () => {
  const old = await start();
  const running = await start({ sources: sources.slice(1), deadlineAt: inMinutes(5000) });
  await store.finish(TENANT, old.refresh.id);
  await sql`update refreshes set started_at = now() - interval '25 hours'`.execute(database.db);
  await start();
  expect(await store.get(TENANT, old.refresh.id)).toBeUndefined();
  expect(await store.get(TENANT, running.refresh.id)).toMatchObject({ status: 'running' });
});

it('takes a thousand sources in a few statements', async () => {
  const many = Array.from({ length: 1000 }, () => ({ ...sources[0], walletId: crypto.randomUUID() })) as RefreshSource[];
  const counting = countStatements(database.db);
  const counted = createRefreshStore(counting.db);
  const { refresh } = await counted.startOrJoin(TENANT, { scope: ALL, sources: many, deadlineAt: inMinutes(5) });
  expect(refresh.sources).toEqual(many);
  await counted.updateSources(
    TENANT,
    refresh.id,
    many.map((source) => ({ ...source, status: 'ok' })),
  );
  expect(counting.count()).toBeLessThan(10);
});

it("never sees or changes another tenant's refreshes", async () => {
  const { refresh } = await start();
  const theirs = await start({}, OTHER_TENANT_ID);
  expect(theirs.joined).toBe(false);
  expect(await store.get(OTHER_TENANT_ID, refresh.id)).toBeUndefined();
  await store.updateSources(
    OTHER_TENANT_ID,
    refresh.id,
    sources.map((source) => ({ ...source, status: 'ok' })),
  );
  await store.finish(OTHER_TENANT_ID, refresh.id);
  expect(await store.get(TENANT, refresh.id)).toEqual(refresh);
  expect(await store.get(TENANT, UNKNOWN_ID)).toBeUndefined();
  expect(await store.get(TENANT, 'nonsense')).toBeUndefined();
});
