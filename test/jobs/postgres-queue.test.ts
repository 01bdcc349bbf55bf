import { sql } from 'kysely';
import { afterAll, beforeAll } from 'vitest';
import { describeQueue } from '../contract/queue.contract.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

describeQueue('Postgres', async () => {
  await sql`drop schema if exists bullmq cascade`.execute(database.db);
  return { kind: 'postgres', url: database.url, migrate: true };
});
