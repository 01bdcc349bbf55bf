import { once } from 'node:events';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRefreshStore, type Lease, type NewRefresh, type RefreshStore } from '../../src/db/refresh-store.ts';
import type { RefreshSource } from '../../src/domain/refresh.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { addOtherTenant, countStatements, OTHER_TENANT_ID, TIMEOUT, UNKNOWN_ID } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: RefreshStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createRefreshStore(database.tenants);
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
const LEASE: Lease = { runnerId: '0198d000-0000-7000-8000-000000000001', leaseSeconds: 15 };
const OTHER: Lease = { ...LEASE, runnerId: '0198d000-0000-7000-8000-000000000002' };
const start = (options: Partial<NewRefresh> = {}, tenantId = TENANT) =>
  store.startOrJoin(tenantId, { scope: ALL, sources, deadlineAt: inMinutes(5), lease: LEASE, ...options });
const finish = (id: string, tenantId = TENANT) => store.finish(tenantId, id, LEASE);
/** Lets time pass for the leases. */
const elapse = (seconds: number) =>
  sql`update refreshes set lease_until = lease_until - make_interval(secs => ${seconds})`.execute(database.db);

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
  await finish(refresh.id);
  expect(await store.get(TENANT, refresh.id)).toMatchObject({ status: 'finished', finishedAt: expect.any(Date) });
});

it('joins the running refresh of the same set of sources, in any order, and starts a new one after its end', async () => {
  const first = await start();
  const second = await start({ sources: sources.toReversed(), scope: { walletIds: null, chains: ['ethereum'] } });
  expect(second).toEqual({ refresh: first.refresh, joined: true });
  expect((await start({ sources: sources.slice(1) })).joined).toBe(false);
  expect((await start({ sources: sources.map((source) => ({ ...source, kind: 'stake' })) })).joined).toBe(false);
  await finish(first.refresh.id);
  const third = await start();
  expect(third.joined).toBe(false);
  expect(third.refresh.id).not.toBe(first.refresh.id);
});

it('shares one refresh between all that start it at once', async () => {
  for (let round = 0; round < 10; round++) {
    const started = await Promise.all(Array.from({ length: 8 }, () => start()));
    expect(started.filter(({ joined }) => !joined)).toHaveLength(1);
    expect(new Set(started.map(({ refresh }) => refresh.id)).size).toBe(1);
    await finish(started[0]?.refresh.id ?? '');
  }
});

it('gives everybody a refresh while others are finishing', async () => {
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let round = 0; round < 10; round++) {
        const { refresh } = await start();
        expect(refresh.sources).toEqual(sources);
        await finish(refresh.id);
      }
    }),
  );
});

it('calls one past its deadline interrupted and does not wait for it', async () => {
  const late = await start({ deadlineAt: inMinutes(-1) });
  expect(await store.get(TENANT, late.refresh.id)).toMatchObject({ status: 'interrupted', finishedAt: expect.any(Date) });
  const next = await start();
  expect(next.joined).toBe(false);
  await finish(late.refresh.id);
  expect(await store.get(TENANT, late.refresh.id)).toMatchObject({ status: 'interrupted' });
  expect(await store.get(TENANT, next.refresh.id)).toMatchObject({ status: 'running' });
});

describe('a refresh whose runner', () => {
  let id: string;
  beforeEach(async () => {
    await sql`delete from refreshes`.execute(database.db);
    id = (await start()).refresh.id;
  });

  it('lives is nobody else’s, however long it takes', async () => {
    for (let round = 0; round < 3; round++) {
      await elapse(10);
      await store.renew(TENANT, id, LEASE);
      expect(await store.takeOver(OTHER, 10)).toEqual([]);
    }
    await store.finish(TENANT, id, OTHER);
    expect(await store.get(TENANT, id)).toMatchObject({ status: 'running' });
  });

  it('died is taken over by one, with what is left of its time, and ended by that one alone', async () => {
    const [first] = sources;
    if (!first) throw new Error('no sources');
    await store.updateSources(TENANT, id, [{ ...first, status: 'ok' }]);
    await elapse(16);
    const takes = await Promise.all(Array.from({ length: 5 }, () => store.takeOver(OTHER, 10)));
    expect(takes.flat()).toHaveLength(1);
    const [lost] = takes.flat();
    expect(lost?.tenantId).toBe(TENANT);
    expect(lost?.refresh.sources.map(({ status }) => status)).toEqual(['ok', 'pending', 'pending']);
    expect(lost?.remainingMs).toBeGreaterThan(200_000);
    expect(lost?.remainingMs).toBeLessThanOrEqual(300_000);
    await store.renew(TENANT, id, LEASE);
    await store.handBack(TENANT, id, LEASE);
    await finish(id);
    expect(await store.get(TENANT, id)).toMatchObject({ status: 'running' });
    expect(await store.takeOver(LEASE, 10)).toEqual([]);
    await store.finish(TENANT, id, OTHER);
    expect(await store.get(TENANT, id)).toMatchObject({ status: 'finished' });
  });

  it('hands it back can be taken over at once', async () => {
    await store.handBack(TENANT, id, LEASE);
    expect(await store.takeOver(OTHER, 10)).toHaveLength(1);
  });

  it('died is not taken over past the deadline, but interrupted', async () => {
    const late = await start({ sources: sources.slice(1), deadlineAt: inMinutes(-1) }, OTHER_TENANT_ID);
    await elapse(16);
    expect((await store.takeOver(OTHER, 10)).map(({ refresh }) => refresh.id)).toEqual([id]);
    const { rows } = await sql`select status from refreshes where id = ${late.refresh.id}`.execute(database.db);
    expect(rows).toEqual([{ status: 'interrupted' }]);
  });

  it('died is one of the oldest when more were lost than can be taken over', async () => {
    await start({ sources: sources.slice(1) });
    await elapse(16);
    expect((await store.takeOver(OTHER, 1)).map(({ refresh }) => refresh.id)).toEqual([id]);
    expect(await store.takeOver(OTHER, 5)).toHaveLength(1);
  });

  it('ends it tells so', async () => {
    const client = new pg.Client(database.url);
    await client.connect();
    await client.query('listen chainfolio_refresh');
    const told = once(client, 'notification');
    await finish(id);
    expect(await told).toMatchObject([{ payload: id }]);
    await client.end();
  });
});

it('forgets refreshes that ended a day ago', async () => {
  const old = await start();
  const running = await start({ sources: sources.slice(1), deadlineAt: inMinutes(5000) });
  await finish(old.refresh.id);
  await sql`update refreshes set started_at = now() - interval '25 hours'`.execute(database.db);
  await start();
  expect(await store.get(TENANT, old.refresh.id)).toBeUndefined();
  expect(await store.get(TENANT, running.refresh.id)).toMatchObject({ status: 'running' });
});

it('takes a thousand sources in a few statements', async () => {
  const many = Array.from({ length: 1000 }, () => ({ ...sources[0], walletId: crypto.randomUUID() })) as RefreshSource[];
  const counting = countStatements(database.tenants);
  const counted = createRefreshStore(counting.db);
  const { refresh } = await counted.startOrJoin(TENANT, { scope: ALL, sources: many, deadlineAt: inMinutes(5), lease: LEASE });
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
  await finish(refresh.id, OTHER_TENANT_ID);
  expect(await store.get(TENANT, refresh.id)).toEqual(refresh);
  expect(await store.get(TENANT, UNKNOWN_ID)).toBeUndefined();
  expect(await store.get(TENANT, 'nonsense')).toBeUndefined();
});
