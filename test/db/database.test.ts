import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../src/db/embedded/embedded-postgres.ts';
import { UINT256_MAX } from '../../src/domain/amount.ts';
import { AppError, type ErrorCode } from '../../src/domain/errors.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { asSuperuser, listPostgresProcesses, signalAll } from '../support/postgres-processes.ts';

// A server of its own: these tests freeze and break it.
let dataDir: string;
let postgres: EmbeddedPostgres;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `chainfolio-test-${process.pid}-`));
  postgres = await startEmbeddedPostgres({ dataDir });
});
afterAll(async () => {
  await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const warnings: unknown[] = [];

function open(options: Partial<Parameters<typeof createDatabase>[0]> = {}): Database {
  const log = { warn: (details: object) => warnings.push(details) };
  const database = createDatabase({ url: postgres.url, log, ...options });
  onTestFinished(() => database.close());
  return database;
}

async function expectCode(promise: Promise<unknown>, code: ErrorCode, withinMs: number): Promise<void> {
  const startedAt = Date.now();
  const error = await promise.then(
    () => expect.fail('did not throw'),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(AppError);
  expect(error).toMatchObject({ code });
  expect(Date.now() - startedAt).toBeLessThan(withinMs);
}

const one = sql<{ one: number }>`select 1 as one`;

it('gives exact numbers as strings and moments to the millisecond', async () => {
  const { db } = open();
  const { rows } = await sql`select 9007199254740993::bigint as big, ${UINT256_MAX.toString()}::numeric(78,0) as max,
    ${new Date(1_795_262_400_123)}::timestamptz(3) as moment`.execute(db);
  expect(rows).toEqual([{ big: '9007199254740993', max: UINT256_MAX.toString(), moment: new Date(1_795_262_400_123) }]);
});

it('answers pings while all its connections are busy, and says how busy it is', async () => {
  const { db, ping, poolSize } = open();
  await open()
    .db.connection()
    .execute(async (holder) => {
      await sql`select pg_advisory_lock(7)`.execute(holder);
      const waiting = Array.from({ length: 8 }, () => sql`select pg_advisory_lock_shared(7)`.execute(db));
      await expect.poll(poolSize, { timeout: 8_000 }).toEqual({ total: 8, idle: 0, waiting: 0 });
      await ping();
      await sql`select pg_advisory_unlock(7)`.execute(holder);
      await Promise.all(waiting);
      expect(poolSize()).toEqual({ total: 8, idle: 8, waiting: 0 });
    });
});

it('tells of each statement how long it took and whether it went well', async () => {
  const told: { isGood: boolean; seconds: number }[] = [];
  const { db } = open({ onQuery: (query) => told.push(query) });
  await one.execute(db);
  await sql`select pg_sleep(0.2)`.execute(db);
  await sql`select 1 / 0`.execute(db).catch(() => undefined);
  expect(told.map(({ isGood }) => isGood)).toEqual([true, true, false]);
  expect(told[1]?.seconds).toBeGreaterThan(0.19);
});

describe('an error', () => {
  it('of the query itself stays what it is', async () => {
    const { db } = open();
    await expect(sql`select 1 / 0`.execute(db)).rejects.toMatchObject({ code: '22012' });
  });

  it('names a text that cannot be stored', async () => {
    const { db } = open();
    await expectCode(sql`select ${'a\u0000b'}::text`.execute(db), 'invalid_request', 1_000);
  });

  it('says that the database is unavailable when nobody listens, or nobody answers', async () => {
    await expectCode(one.execute(open({ url: 'postgres://u:p@127.0.0.1:1/x' }).db), 'database_unavailable', 1_000);
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    onTestFinished(() => void silent.close());
    await new Promise((resolve) => silent.once('listening', resolve));
    const address = silent.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const database = open({ url: `postgres://u:p@127.0.0.1:${port}/x` });
    await expectCode(one.execute(database.db), 'database_unavailable', 4_000);
    await expectCode(database.ping(), 'database_unavailable', 4_000);
  });

  it('says so too when the login is refused or the query takes too long', async () => {
    await expectCode(one.execute(open({ url: postgres.url.replace(/:[^:@]+@/, ':wrong@') }).db), 'database_unavailable', 2_000);
    const { db } = open({ queryTimeoutMs: 200 });
    await expectCode(sql`select pg_sleep(30)`.execute(db), 'database_unavailable', 2_000);
    expect((await one.execute(db)).rows).toEqual([{ one: 1 }]);
  });
});

describe('a frozen server', () => {
  it('makes queries, transactions, new connections and pings fail in bounded time, and all is well when it thaws', async () => {
    const database = open({ queryTimeoutMs: 500 });
    const tenant = database.tenants.of(DEFAULT_TENANT_ID);
    await Promise.all([one.execute(database.db), one.execute(database.db), one.execute(tenant), one.execute(tenant)]);
    const pids = await listPostgresProcesses(dataDir, postgres.url);
    signalAll(pids, 'SIGSTOP');
    onTestFinished(() => signalAll(pids, 'SIGCONT'));
    await expectCode(one.execute(database.db), 'database_unavailable', 6_000);
    await expectCode(
      database.db.transaction().execute((trx) => one.execute(trx)),
      'database_unavailable',
      6_000,
    );
    await Promise.all([
      expectCode(one.execute(tenant), 'database_unavailable', 6_000),
      expectCode(
        tenant.transaction().execute((trx) => one.execute(trx)),
        'database_unavailable',
        6_000,
      ),
      expectCode(database.ping(), 'database_unavailable', 4_000),
    ]);
    await Promise.all(Array.from({ length: 30 }, () => expectCode(one.execute(database.db), 'database_unavailable', 12_000)));
    signalAll(pids, 'SIGCONT');
    await expect.poll(() => database.ping().then(() => 'up', String), { timeout: 10_000 }).toBe('up');
    expect((await one.execute(database.db)).rows).toEqual([{ one: 1 }]);
    expect((await one.execute(tenant)).rows).toEqual([{ one: 1 }]);
  });
});

describe('a server that goes away in the middle of a transaction', () => {
  it('ends the transaction with an error, nothing else, and is used again when it is back', async () => {
    const database = open();
    await sql`create table if not exists kept (word text)`.execute(database.db);
    const idle = Promise.all([one.execute(database.db), one.execute(database.db)]);
    await idle;
    const [, ...backends] = await listPostgresProcesses(dataDir, postgres.url);
    const broken = database.db.transaction().execute(async (trx) => {
      await sql`insert into kept values ('lost')`.execute(trx);
      // Ends every session: the server takes a killed process for a crash and restarts itself.
      signalAll(backends, 'SIGKILL');
      await sql`select pg_sleep(5)`.execute(trx);
    });
    await expectCode(broken, 'database_unavailable', 5_000);
    await expect.poll(() => database.ping().then(() => 'up', String), { timeout: 20_000 }).toBe('up');
    expect((await sql`select * from kept`.execute(database.db)).rows).toEqual([]);
    expect(warnings.length).toBeGreaterThan(0);
  });

  it('is survived also when the transaction waits for something else at that moment', async () => {
    const database = open();
    const admin = open({ url: asSuperuser(postgres.url) });
    const broken = database.db.transaction().execute(async (trx) => {
      await one.execute(trx);
      const seen = warnings.length;
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where usename = 'chainfolio' and state = 'idle in transaction'`.execute(admin.db);
      await expect.poll(() => warnings.length).toBeGreaterThan(seen);
      await one.execute(trx);
    });
    await expectCode(broken, 'database_unavailable', 5_000);
    expect((await one.execute(database.db)).rows).toEqual([{ one: 1 }]);
  });

  it('ends what is asked for one tenant with an error as well, and nothing else', async () => {
    const database = open();
    const tenant = database.tenants.of(DEFAULT_TENANT_ID);
    const admin = open({ url: asSuperuser(postgres.url) });
    const broken = expectCode(sql`select pg_sleep(30)`.execute(tenant), 'database_unavailable', 5_000);
    const sleeping = sql`select pg_terminate_backend(pid) from pg_stat_activity where query = 'select pg_sleep(30)' and pid <> pg_backend_pid()`;
    await expect.poll(async () => (await sleeping.execute(admin.db)).rows.length).toBe(1);
    await broken;
    expect((await one.execute(tenant)).rows).toEqual([{ one: 1 }]);
  });
});

it('closes within its time limit although a query hangs, and answers no more', async () => {
  const database = open();
  const hanging = expectCode(sql`select pg_sleep(60)`.execute(database.db), 'database_unavailable', 9_000);
  const admin = open({ url: asSuperuser(postgres.url) });
  const sleeping = sql`select from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`;
  await expect.poll(async () => (await sleeping.execute(admin.db)).rows.length).toBe(1);
  const startedAt = Date.now();
  await database.close();
  expect(Date.now() - startedAt).toBeLessThan(6_000);
  await hanging;
  await expect(one.execute(database.db)).rejects.toThrow();
});
