import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, it, onTestFinished } from 'vitest';
import { openStorage } from '../../src/compose/compose-storage.ts';
import { loadConfig } from '../../src/config.ts';
import { createDatabase, type Database } from '../../src/db/database.ts';
import { migrateToLatest } from '../../src/db/migrations.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { createLogger } from '../../src/lib/logger.ts';
import { addOtherTenant, addWallet, OTHER_TENANT_ID } from '../support/store-fixtures.ts';

const NAME = `plain_${randomBytes(6).toString('hex')}`;
const PASSWORD = randomBytes(12).toString('hex');
let admin: pg.Client;

beforeAll(async () => {
  const url = new URL(inject('postgresUrl'));
  url.pathname = '/postgres';
  admin = new pg.Client(url.href);
  await admin.connect();
  await admin.query(`create role ${NAME} login password '${PASSWORD}'`);
  await admin.query(`create database ${NAME} owner ${NAME}`);
  const database = open(loginUrl());
  await migrateToLatest(database.db);
  await addOtherTenant(database.db);
  for (const tenant of [TENANT, OTHER_TENANT_ID]) await addWallet(database.db, tenant);
  await database.close();
});

afterAll(async () => {
  await admin.query(`drop database ${NAME} with (force)`);
  await admin.query(`drop role ${NAME}`);
  await admin.end();
});

function open(url: string): Database {
  return createDatabase({ url, log: { warn: () => undefined } });
}

function loginUrl({ asAdmin = false } = {}): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${NAME}`;
  if (!asAdmin) [url.username, url.password] = [NAME, PASSWORD];
  return url.href;
}

/** Whose wallets each kind of connection sees, and how a tenant is stopped from writing another's. */
async function look({ tenants, rowSecurity }: Database): Promise<unknown> {
  const owners = async (db: Database['db']): Promise<readonly string[]> =>
    (await db.selectFrom('wallets').select('tenant_id').orderBy('tenant_id').execute()).map((row) => row.tenant_id);
  const steal = sql`update wallets set tenant_id = ${OTHER_TENANT_ID}`.execute(tenants.of(TENANT));
  const refusal = await steal.catch((error: unknown) => (error as pg.DatabaseError).code);
  const { role, isForced } = await rowSecurity();
  return { role, isForced, of: await owners(tenants.of(TENANT)), all: await owners(tenants.all), refusal };
}

function openForTest(url: string): Database {
  const database = open(url);
  onTestFinished(() => database.close());
  return database;
}

const KEPT_APART = { isForced: true, of: [TENANT], all: [TENANT, OTHER_TENANT_ID], refusal: '42501' };

it('a login that may not act as the role is held to the policies itself', async () => {
  expect(await look(openForTest(loginUrl()))).toEqual({ ...KEPT_APART, role: null });
});

it('a login that may is held to them as the role', async () => {
  await admin.query(`grant chainfolio_app to ${NAME}`);
  onTestFinished(async () => void (await admin.query(`revoke chainfolio_app from ${NAME}`)));
  expect(await look(openForTest(loginUrl()))).toEqual({ ...KEPT_APART, role: 'chainfolio_app' });
});

it('a superuser is held to them as the role, and is found out where the role has no rights', async () => {
  const database = openForTest(loginUrl({ asAdmin: true }));
  expect(await look(database)).toEqual({ ...KEPT_APART, role: 'chainfolio_app' });
  await sql`revoke all on wallets from chainfolio_app`.execute(database.db);
  onTestFinished(
    async () => void (await sql`grant select, insert, update, delete on wallets to chainfolio_app`.execute(database.db)),
  );
  expect(await database.rowSecurity()).toEqual({ role: null, isForced: false, seesAll: true });
});

it('is held to them too where the URL brings settings of its own', async () => {
  const url = new URL(loginUrl({ asAdmin: true }));
  url.searchParams.set('options', '-c search_path=public -c work_mem=5MB');
  const database = openForTest(url.href);
  expect(await look(database)).toEqual({ ...KEPT_APART, role: 'chainfolio_app' });
  for (const db of [database.db, database.tenants.of(TENANT)])
    expect((await sql<{ work_mem: string }>`show work_mem`.execute(db)).rows).toEqual([{ work_mem: '5MB' }]);
});

it('a login that has made no policy sees nothing of what is done for all, and serves nobody', async () => {
  const other = `${NAME}_other`;
  await admin.query(`create role ${other} login password '${PASSWORD}'`);
  const owner = openForTest(loginUrl({ asAdmin: true }));
  await sql.raw(`grant all on all tables in schema public to ${other}`).execute(owner.db);
  onTestFinished(async () => {
    await sql.raw(`drop owned by ${other}`).execute(owner.db);
    await admin.query(`drop role ${other}`);
  });
  const url = new URL(loginUrl());
  url.username = other;
  expect(await openForTest(url.href).rowSecurity()).toEqual({ role: null, isForced: true, seesAll: false });
  const opened = openStorage(loadConfig({ DATABASE_URL: url.href }), {
    log: createLogger({ level: 'silent', secrets: [] }),
    metrics: { onQuery: () => undefined },
  });
  await expect(opened).rejects.toThrow(/^DATABASE_URL: this login sees no rows\./);
});
