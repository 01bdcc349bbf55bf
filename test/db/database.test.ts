import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('gives exact numbers as strings', async () => {
  const { rows } =
    await sql`select 9007199254740993::bigint as big, ${(2n ** 256n - 1n).toString()}::numeric(78,0) as max`.execute(database.db);
  expect(rows).toEqual([{ big: '9007199254740993', max: (2n ** 256n - 1n).toString() }]);
});
