import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('what was removed between a look and a write is a conflict, and no fault of ours', async () => {
  const gone = '0198b000-0000-7000-8000-000000000099';
  const writing = sql`insert into wallet_chains (tenant_id, wallet_id, chain, ordinal)
    values (${DEFAULT_TENANT_ID}, ${gone}, 'ethereum', 0)`;
  await expect(writing.execute(database.db)).rejects.toMatchObject({ name: 'AppError', code: 'conflict' });
});
