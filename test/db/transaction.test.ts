import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction } from '../../src/db/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await sql`create table counters (id int primary key, value int not null)`.execute(database.db);
});
afterAll(() => database.close());

it('runs again after a deadlock until both sides are through', async () => {
  await sql`insert into counters values (1, 0), (2, 0)`.execute(database.db);
  let runs = 0;
  let arrived = 0;
  let open = (): void => undefined;
  const bothHoldOne = new Promise<void>((resolve) => {
    open = resolve;
  });
  const add = (first: number, second: number): Promise<void> =>
    inTransaction(database.db, async (trx) => {
      runs++;
      await sql`update counters set value = value + 1 where id = ${first}`.execute(trx);
      if (++arrived === 2) open();
      await bothHoldOne;
      await sql`update counters set value = value + 1 where id = ${second}`.execute(trx);
    });
  await Promise.all([add(1, 2), add(2, 1)]);
  expect(runs).toBe(3);
  expect((await sql`select * from counters order by id`.execute(database.db)).rows).toEqual([
    { id: 1, value: 2 },
    { id: 2, value: 2 },
  ]);
});

it('gives up after a few runs, and runs once for any other fault', async () => {
  let runs = 0;
  const fail = (state: string): Promise<void> =>
    inTransaction(database.db, async (trx) => {
      runs++;
      await sql.raw(`do $$ begin raise exception sqlstate '${state}'; end $$`).execute(trx);
    });
  await expect(fail('40001')).rejects.toMatchObject({ code: '40001' });
  expect(runs).toBe(4);
  await expect(fail('23505')).rejects.toMatchObject({ code: '23505' });
  expect(runs).toBe(5);
});
