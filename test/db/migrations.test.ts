import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateToLatest, pendingMigrations } from '../../src/db/migrations.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { StartupError } from '../../src/lib/startup-error.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const FOLDER = new URL('../../migrations/', import.meta.url);
const ALL = readdirSync(FOLDER)
  .map((file) => file.replace(/\.ts$/, ''))
  .sort();

let database: TestDatabase;
beforeEach(async () => {
  database = await createTestDatabase();
  await sql`drop schema public cascade`.execute(database.db);
  await sql`create schema public`.execute(database.db);
});
afterEach(() => database.close());

it('names what is pending, applies it, and then has nothing to do', async () => {
  expect(await pendingMigrations(database.db)).toEqual(ALL);
  expect(await migrateToLatest(database.db)).toEqual(ALL);
  expect(await pendingMigrations(database.db)).toEqual([]);
  expect(await migrateToLatest(database.db)).toEqual([]);
  expect((await sql`select id from tenants`.execute(database.db)).rows).toEqual([{ id: DEFAULT_TENANT_ID }]);
});

it('is safe when several processes migrate at once', async () => {
  const results = await Promise.all([1, 2, 3, 4].map(() => migrateToLatest(database.db)));
  expect(results.toSorted((a, b) => b.length - a.length)).toEqual([ALL, [], [], []]);
});

it('can be taken back and applied again', async () => {
  const db = database.db as never;
  const steps = await Promise.all(ALL.map((name) => import(new URL(`${name}.ts`, FOLDER).href)));
  for (const step of steps) await step.up(db);
  for (const step of steps.toReversed()) await step.down(db);
  const tables = await database.db.introspection.getTables();
  // The queue's tables are its own affair.
  expect(tables.filter(({ schema }) => schema !== 'bullmq')).toEqual([]);
  for (const step of steps) await step.up(db);
});

it('keeps an index for every foreign key', async () => {
  await migrateToLatest(database.db);
  const { rows } = await sql`
    select c.conrelid::regclass::text as table_name, c.conname from pg_constraint c
    where c.contype = 'f' and not exists (
      select from pg_index i
      where i.indrelid = c.conrelid and c.conkey::int2[] = (i.indkey::int2[])[0:array_length(c.conkey, 1) - 1]
    )`.execute(database.db);
  expect(rows).toEqual([]);
});

it('does not touch a database that a newer chainfolio made', async () => {
  await migrateToLatest(database.db);
  await sql`insert into kysely_migration values ('99999999-9999-future', now()::text)`.execute(database.db);
  await expect(migrateToLatest(database.db)).rejects.toThrow(StartupError);
  expect(await pendingMigrations(database.db)).toEqual([]);
});

async function runCommand(databaseUrl: string): Promise<{ code: number; output: string }> {
  const script = new URL('../../src/migrate.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script], { env: { ...process.env, DATABASE_URL: databaseUrl } });
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: Number(code), output: output + errors };
}

it('has a command of its own, which says in one line what it did', async () => {
  expect(await runCommand(database.url)).toEqual({ code: 0, output: `Applied: ${ALL.join(', ')}\n` });
  expect(await runCommand(database.url)).toEqual({ code: 0, output: 'The database is up to date.\n' });
  expect((await runCommand('')).output).toMatch(/^DATABASE_URL is not set[^\n]+\n$/);
  const { code, output } = await runCommand('postgres://someone:s3cret@127.0.0.1:1/none');
  expect(code).toBe(1);
  expect(output).toMatch(/^The database could not be brought up to date: [^\n]+\n$/);
  expect(output).not.toContain('s3cret');
});
