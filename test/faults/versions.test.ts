import { readdir } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { isolatedEnvironment, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

type Migration = { up(db: Kysely<unknown>): Promise<void> };
type Row = { readonly key: string; readonly definition: string; readonly may_be_left_out: boolean };

/** Every column, and what an `on conflict` can name. */
async function describeSchema(db: TestDatabase['db']): Promise<readonly Row[]> {
  const columns = await sql<Row>`
    select table_name || '.' || column_name as key, data_type || ' ' || coalesce(numeric_precision::text, '') as definition,
      is_nullable = 'YES' or column_default is not null or is_identity = 'YES' as may_be_left_out
    from information_schema.columns where table_schema = 'public'`.execute(db);
  const keys = await sql<Row>`
    select 'unique ' || indexdef as key, '' as definition, true as may_be_left_out
    from (select regexp_replace(indexdef, '^.* ON ', '') as indexdef from pg_indexes where schemaname = 'public' and indexdef like '%UNIQUE%') i`.execute(
    db,
  );
  return [...columns.rows, ...keys.rows];
}

describe('fault 49: an older version beside this one', () => {
  it('fault 49: no migration takes anything from the code that ran before it, or demands something new of it', async () => {
    const { db, close } = await createTestDatabase();
    onTestFinished(close);
    await sql`drop schema public cascade`.execute(db);
    await sql`create schema public`.execute(db);
    const folder = new URL('../../migrations/', import.meta.url);
    let before: readonly Row[] = [];
    for (const file of (await readdir(folder)).toSorted()) {
      const { up }: Migration = await import(new URL(file, folder).href);
      await up(db as never);
      const after = new Map((await describeSchema(db)).map((row) => [row.key, row]));
      for (const { key, definition, may_be_left_out } of before) {
        expect(after.get(key), `${file} keeps ${key}`).toMatchObject({ definition, may_be_left_out });
      }
      const tables = new Set(before.map(({ key }) => key.split('.')[0]));
      for (const { key, may_be_left_out } of after.values()) {
        if (before.some((row) => row.key === key) || !tables.has(key.split('.')[0])) continue;
        expect(may_be_left_out, `${file} lets older code leave out ${key}`).toBe(true);
      }
      before = [...after.values()];
    }
    expect(before.length).toBeGreaterThan(50);
  });
});

describe('fault 49: this version on a database', () => {
  let database: TestDatabase;
  let chain: LocalChain;
  beforeAll(async () => {
    [database, chain] = await Promise.all([createTestDatabase(), startLocalChain({ chainId: 1 })]);
    await chain.setNative(ALICE, 10n ** 18n);
  });
  afterAll(async () => {
    await chain.stop();
    await database.close();
  });

  it('fault 49: that a newer one has extended serves, and reads the wallets that an older one adds', async () => {
    await sql`insert into kysely_migration values ('99999999-9999-future', now()::text)`.execute(database.db);
    await sql`alter table wallets add column mood text`.execute(database.db);
    await sql`create table futures (id uuid primary key)`.execute(database.db);
    const service = await startServiceProcess({
      environment: isolatedEnvironment({
        DATABASE_URL: database.url,
        ETHEREUM_RPC_URLS: chain.rpcUrl,
        EMBEDDED_WORKER: 'true',
      }),
    });
    onTestFinished(async () => void (await service.kill()));
    const call = async (method: string, path: string, body?: object): Promise<Body> => {
      const init = { method, headers: { 'content-type': 'application/json' } };
      const answer = await fetch(`${service.url}${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) });
      return answer.json();
    };
    await expect.poll(async () => (await call('GET', '/health/ready')).status, { timeout: 30_000 }).not.toBe('unready');
    const { id } = await call('POST', '/api/v1/wallets', { address: ALICE });
    // The version before knew no schedules, and counted no changes.
    await sql`delete from wallet_schedules where wallet_id = ${id}`.execute(database.db);
    const balance = async (): Promise<Body> => (await call('GET', '/api/v1/portfolio')).by_asset?.[0]?.balance;
    await expect.poll(balance, { timeout: 90_000, interval: 500 }).toBe('1');
  }, 180_000);
});
