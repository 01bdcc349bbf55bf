import { randomBytes } from 'node:crypto';
import type { Kysely } from 'kysely';
import pg from 'pg';
import { inject } from 'vitest';
import { createDatabase } from '../../src/db/database.ts';
import type { Schema } from '../../src/db/schema.ts';
import type { TenantDb } from '../../src/db/tenant-db.ts';

export type TestDatabase = {
  /** Every tenant's rows. */
  readonly db: Kysely<Schema>;
  /** What stores are made with. */
  readonly tenants: TenantDb;
  readonly url: string;
  close(): Promise<void>;
};

/** An empty, migrated database of a suite's own, on the real PostgreSQL that the test run started. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const serverUrl = inject('postgresUrl');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await runAsAdmin(serverUrl, `create database ${name} template chainfolio`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const database = createDatabase({ url: url.href, log: { warn: () => undefined } });
  return {
    db: database.db,
    tenants: database.tenants,
    url: url.href,
    async close() {
      await database.close();
      await runAsAdmin(serverUrl, `drop database ${name} with (force)`);
    },
  };
}

async function runAsAdmin(serverUrl: string, statement: string): Promise<void> {
  const url = new URL(serverUrl);
  url.pathname = '/postgres';
  const client = new pg.Client(url.href);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
