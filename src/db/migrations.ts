import { readdir } from 'node:fs/promises';
import { type Kysely, sql } from 'kysely';
import { type Migration, type MigrationProvider, Migrator } from 'kysely/migration';
import { StartupError } from '../lib/startup-error.ts';
import type { Schema } from './schema.ts';

const DIRECTORY = new URL('../../migrations/', import.meta.url);
const MIN_SERVER_VERSION = 18;

/**
 * Brings the tables up to date; several processes at once are safe. Gives back the names of the migrations applied. Throws StartupError when
 * the server is too old or the database was made by a newer chainfolio.
 */
export async function migrateToLatest(db: Kysely<Schema>): Promise<readonly string[]> {
  await checkServerVersion(db);
  const { error, results = [] } = await createMigrator(db).migrateToLatest();
  if (error !== undefined) throw explain(error);
  return results.filter(({ status }) => status === 'Success').map(({ migrationName }) => migrationName);
}

/** Names of the migrations that are still to be applied; none when a newer chainfolio was here. Throws StartupError when the server is too old. */
export async function pendingMigrations(db: Kysely<Schema>): Promise<readonly string[]> {
  await checkServerVersion(db);
  const migrations = await createMigrator(db).getMigrations();
  return migrations.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name);
}

/** Names of all migrations that this chainfolio knows, the oldest first. */
export async function listMigrations(): Promise<readonly string[]> {
  return Object.keys(await provider.getMigrations()).toSorted();
}

function createMigrator(db: Kysely<Schema>): Migrator {
  return new Migrator({ db, provider });
}

const provider: MigrationProvider = {
  async getMigrations() {
    const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith('.ts'));
    const entries = files.map(async (file) => [file.replace(/\.ts$/, ''), await importMigration(file)] as const);
    return Object.fromEntries(await Promise.all(entries));
  },
};

async function importMigration(file: string): Promise<Migration> {
  const module: unknown = await import(new URL(file, DIRECTORY).href);
  if (isMigration(module)) return module;
  throw new TypeError(`migrations/${file} must export up and down`);
}

function isMigration(value: unknown): value is Required<Migration> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'up' in value &&
    typeof value.up === 'function' &&
    'down' in value &&
    typeof value.down === 'function'
  );
}

async function checkServerVersion(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ server_version: string }>`show server_version`.execute(db);
  const version = rows[0]?.server_version ?? '';
  if (Number.parseInt(version, 10) >= MIN_SERVER_VERSION) return;
  throw new StartupError(`The database is PostgreSQL ${version}; chainfolio needs ${MIN_SERVER_VERSION} or newer.`);
}

function explain(error: unknown): unknown {
  if (error instanceof Error && error.message.startsWith('corrupted migrations')) {
    return new StartupError('The database was made by another version of chainfolio, newer than this one.', { cause: error });
  }
  return error;
}
