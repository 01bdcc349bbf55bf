import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEventStore, type EventStore } from '../../../src/db/events/event-store.ts';
import { recordEvents } from '../../../src/db/events/record-events.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addOtherTenant, OTHER_TENANT_ID as OTHER } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let events: EventStore;
beforeAll(async () => {
  database = await createTestDatabase();
  events = createEventStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());

async function happen(tenantId: string, numbers: readonly number[]): Promise<void> {
  await database.tenants
    .of(tenantId)
    .transaction()
    .execute((trx) =>
      recordEvents(
        trx,
        tenantId,
        numbers.map((number) => ({ type: 'wallet.added', data: { number } })),
      ),
    );
}

it('numbers what happens at once without a gap, in the order in which it can be seen', async () => {
  const start = await events.getLastSeq(TENANT);
  let seen = start;
  let isOver = false;
  const looking = (async () => {
    while (!isOver) {
      for (const { seq } of await events.listAfter(TENANT, seen, 1_000)) {
        // Nothing comes in behind what was read already.
        expect(seq).toBe(seen + 1n);
        seen = seq;
      }
    }
  })();
  await Promise.all(Array.from({ length: 40 }, (_, index) => happen(TENANT, [index, 1_000 + index])));
  isOver = true;
  await looking;
  const all = await events.listAfter(TENANT, start, 1_000);
  expect(all.map(({ seq }) => seq - start)).toEqual(Array.from({ length: 80 }, (_, index) => BigInt(index + 1)));
  expect(new Set(all.map(({ id }) => id)).size).toBe(80);
  expect(await events.getLastSeq(TENANT)).toBe(start + 80n);
});

it('keeps nothing of what did not come to pass', async () => {
  const before = await events.getLastSeq(TENANT);
  const failing = database.db.transaction().execute(async (trx) => {
    await recordEvents(trx, TENANT, [{ type: 'wallet.added', data: {} }]);
    throw new Error('not so');
  });
  await expect(failing).rejects.toThrow('not so');
  await happen(TENANT, [1]);
  expect(await events.getLastSeq(TENANT)).toBe(before + 1n);
});

it('begins to count where no other database does, whoever asks first', async () => {
  const [first, ...others] = await Promise.all([1, 2, 3].map(() => events.getLastSeq(OTHER)));
  expect(others).toEqual([first, first]);
  expect(first).toBeGreaterThan(BigInt(Date.now() - 3_600_000) * 1_000n);
  await happen(OTHER, [1]);
  expect((await events.listAfter(OTHER, first ?? 0n, 10)).map(({ seq, data }) => ({ seq, data }))).toEqual([
    { seq: (first ?? 0n) + 1n, data: { number: 1 } },
  ]);
});

it('shows nobody what happened to another', async () => {
  await happen(TENANT, [7]);
  const own = await events.getLastSeq(OTHER);
  expect(await events.listAfter(OTHER, own, 10)).toEqual([]);
  expect(await events.hasAllAfter(OTHER, await events.getLastSeq(TENANT))).toBe(false);
});

it('lets go of what is older than a week, and knows that it is gone', async () => {
  const start = await events.getLastSeq(TENANT);
  await happen(TENANT, [1, 2, 3]);
  await sql`update events set occurred_at = now() - interval '8 days' where tenant_id = ${TENANT} and seq <= ${(start + 1n).toString()}`.execute(
    database.db,
  );
  await events.removeOld(7, new AbortController().signal);
  expect((await events.listAfter(TENANT, 0n, 100)).map(({ seq }) => seq)).toEqual([start + 2n, start + 3n]);
  const known = await Promise.all([0n, start, start + 1n, start + 3n, start + 4n].map((seq) => events.hasAllAfter(TENANT, seq)));
  expect(known).toEqual([false, false, true, true, false]);
});
