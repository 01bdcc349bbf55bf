import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Config } from '../config.ts';
import { createDatabase } from '../db/database.ts';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres.ts';
import { findEmbeddedPostgres } from '../db/embedded/find-embedded-postgres.ts';
import { migrateToLatest, pendingMigrations } from '../db/migrations.ts';
import type { TenantDb } from '../db/tenant-db.ts';
import { StartupError } from '../lib/startup-error.ts';

/** The rows of a large table are counted in one statement. */
const STATEMENT_TIMEOUT_MS = 3_600_000;

type Work<T> = (db: TenantDb) => Promise<T>;

/**
 * Gives the service's database to `work`, in the state that this chainfolio knows. An embedded one that is not running is started for it; one that runs is used only where `mayShare` says so. Throws StartupError.
 */
export async function withDatabase<T>(
  { databaseUrl, dataDir }: Pick<Config, 'databaseUrl' | 'dataDir'>,
  { mayShare }: { readonly mayShare: boolean },
  work: Work<T>,
): Promise<T> {
  const running = databaseUrl ?? (mayShare ? await findEmbeddedPostgres(dataDir) : undefined);
  if (running !== undefined) {
    return withPool(running, async (db) => {
      if ((await pendingMigrations(db.all)).length > 0)
        throw new StartupError('The database is not up to date: run `npm run migrate`, or start the service, first.');
      return work(db);
    });
  }
  if (mayShare) await requireData(dataDir);
  const embedded = await startEmbeddedPostgres({ dataDir });
  try {
    return await withPool(embedded.url, async (db) => {
      await migrateToLatest(db.all);
      return work(db);
    });
  } finally {
    await embedded.stop();
  }
}

async function withPool<T>(url: string, work: Work<T>): Promise<T> {
  const database = createDatabase({ url, log: { warn: () => undefined }, queryTimeoutMs: STATEMENT_TIMEOUT_MS });
  try {
    return await work(database.tenants);
  } finally {
    await database.close();
  }
}

/** An empty database would be made there otherwise, and an export of it be taken for a copy of what is elsewhere. */
async function requireData(dataDir: string): Promise<void> {
  const directory = join(resolve(dataDir), 'postgres');
  const isThere = await stat(directory).catch(() => undefined);
  if (isThere === undefined) throw new StartupError(`There is no database in ${directory}. Set DATA_DIR or DATABASE_URL.`);
}
