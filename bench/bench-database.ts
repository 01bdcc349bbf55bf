import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Kysely } from 'kysely';
import { createDatabase } from '../src/db/database.ts';
import { startEmbeddedPostgres } from '../src/db/embedded/embedded-postgres.ts';
import { migrateToLatest } from '../src/db/migrations.ts';
import type { Schema } from '../src/db/schema.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';

export type BenchDatabase = {
  readonly url: string;
  readonly db: Kysely<Schema>;
  readonly tenants: TenantDb;
  close(): Promise<void>;
};

/** A PostgreSQL of the bench's own, with the schema, nothing in it, and the settings of any new installation. */
export async function startBenchDatabase(): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chainfolio-bench-'));
  const postgres = await startEmbeddedPostgres({ dataDir });
  const database = createDatabase({ url: postgres.url, log: { warn: () => undefined }, queryTimeoutMs: 120_000 });
  await migrateToLatest(database.db);
  return {
    url: postgres.url,
    db: database.db,
    tenants: database.tenants,
    async close() {
      await database.close();
      await postgres.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
