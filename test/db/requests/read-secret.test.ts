import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readSecret } from '../../../src/db/requests/read-secret.ts';
import { StartupError } from '../../../src/lib/startup-error.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

/** What a connection with these options is answered with: the rows, or the code of the error. */
async function readAs(options: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: database.url, options });
  await client.connect();
  try {
    return (await client.query('select name from service_secrets')).rows;
  } catch (error) {
    return (error as { code: string }).code;
  } finally {
    await client.end();
  }
}

it('is 256 bits that the database has made, the same for whoever asks', async () => {
  const secret = await readSecret(database.db, 'cursors');
  expect(secret).toHaveLength(32);
  expect(new Set(secret).size).toBeGreaterThan(10);
  expect(await readSecret(database.db, 'cursors')).toEqual(secret);
});

it('is not there for the role that tenants are served as', async () => {
  expect(await readAs('-c role=chainfolio_app')).toBe('42501');
  expect(await readAs('-c role=chainfolio_app -c app.scope=all')).toBe('42501');
});

it('stops the start when it is lost', async () => {
  await sql`delete from service_secrets`.execute(database.db);
  await expect(readSecret(database.db, 'cursors')).rejects.toThrow(StartupError);
});
