import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { recordEvents } from '../../../src/db/events/record-events.ts';
import { inTransaction } from '../../../src/db/transaction.ts';
import { type Attempt, type AttemptStore, createAttemptStore } from '../../../src/db/webhooks/attempt-store.ts';
import { createDeliveryStore } from '../../../src/db/webhooks/delivery-store.ts';
import { createWebhookStore, type WebhookStore } from '../../../src/db/webhooks/webhook-store.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { addOtherTenant, OTHER_TENANT_ID, UNKNOWN_ID } from '../../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let database: TestDatabase;
let webhooks: WebhookStore;
let attempts: AttemptStore;
beforeAll(async () => {
  database = await createTestDatabase();
  webhooks = createWebhookStore(database.tenants);
  attempts = createAttemptStore(database.tenants);
  await addOtherTenant(database.db);
});
afterAll(() => database.close());
beforeEach(async () => {
  for (const table of ['webhooks', 'events', 'event_counters']) await sql`delete from ${sql.table(table)}`.execute(database.db);
});

const CLAIM = { limit: 10, limitEach: 5, limitTenant: 20, leaseSeconds: 60 };
const ENDING = { disableAfterSeconds: 86_400 };
const GOOD = { responseStatus: 200, errorCode: null, retryInSeconds: null, pauseSeconds: 0, isGone: false };
const BAD = { ...GOOD, responseStatus: 500, errorCode: 'upstream_status', retryInSeconds: 5 } as const;

const addWebhook = async (tenantId = TENANT): Promise<string> => {
  const added = await webhooks.add(tenantId, { url: 'https://a.example/', description: null, eventTypes: null }, 20);
  return added?.webhook.id ?? '';
};
const happen = (count: number, tenantId = TENANT) =>
  inTransaction(database.tenants.of(tenantId), (trx) =>
    recordEvents(
      trx,
      tenantId,
      Array.from({ length: count }, () => ({ type: 'snapshot.missed' as const, data: {} })),
    ),
  );
const count = async (): Promise<number> => {
  const { rows } = await sql<{ count: number }>`select count(*)::int as count from webhook_deliveries`.execute(database.db);
  return rows[0]?.count ?? 0;
};
const claimOne = async (): Promise<Attempt> => {
  const [attempt] = await attempts.claim({ ...CLAIM, limit: 1 });
  if (attempt === undefined) throw new Error('nothing was claimed');
  return attempt;
};
const elapse = (seconds: number) =>
  sql`update webhook_deliveries set due_at = due_at - make_interval(secs => ${seconds})`.execute(database.db);

describe('what is to be told', () => {
  it('is noted once, whoever does it, in as many looks as it takes, also after old events were deleted', async () => {
    await happen(2);
    await addWebhook();
    await addWebhook();
    await addWebhook(OTHER_TENANT_ID);
    await happen(3);
    await sql`delete from events`.execute(database.db);
    await happen(1_100);
    await happen(1, OTHER_TENANT_ID);
    const look = async (): Promise<void> => {
      while ((await attempts.fanOut()) > 0);
    };
    await Promise.all([look(), look(), look()]);
    await look();
    expect(await count()).toBe(2_201);
    expect(await attempts.fanOut()).toBe(0);
  });

  it('goes to nobody once the webhook is gone', async () => {
    const id = await addWebhook();
    await happen(2);
    await attempts.fanOut();
    expect(await webhooks.delete(TENANT, id)).toBe(true);
    expect(await attempts.claim(CLAIM)).toEqual([]);
    expect(await count()).toBe(0);
  });
});

describe('an attempt', () => {
  it('is made by one of all who ask', async () => {
    await addWebhook();
    await happen(5);
    await attempts.fanOut();
    const claimed = (await Promise.all([1, 2, 3].map(() => attempts.claim({ ...CLAIM, limitEach: 50, limitTenant: 50 })))).flat();
    expect(new Set(claimed.map(({ deliveryId }) => deliveryId)).size).toBe(5);
    expect(claimed).toHaveLength(5);
  });

  it('that counts as lost is made anew, and has no effect any more', async () => {
    const id = await addWebhook();
    await happen(1);
    await attempts.fanOut();
    const lost = await claimOne();
    await elapse(60);
    const next = await claimOne();
    expect([next.deliveryId, next.number, next.eventId]).toEqual([lost.deliveryId, 2, lost.eventId]);
    expect(await attempts.finish(lost, { ...BAD, isGone: true, retryInSeconds: null }, ENDING)).toBe(false);
    await attempts.handBack(lost);
    expect(await attempts.claim(CLAIM)).toEqual([]);
    await attempts.finish(next, GOOD, ENDING);
    expect(await webhooks.get(TENANT, id)).toMatchObject({ disabled: null, failingSince: null });
    await attempts.finish(next, BAD, ENDING);
    const { deliveries } = await createDeliveryStore(database.tenants).list(TENANT, id, {
      status: null,
      afterId: null,
      limit: 10,
    });
    expect(deliveries).toMatchObject([{ status: 'delivered', attempts: 2, responseStatus: 200 }]);
  });

  it('goes on when it is asked for again while it is under way', async () => {
    const id = await addWebhook();
    await happen(1);
    await attempts.fanOut();
    const attempt = await claimOne();
    const deliveries = createDeliveryStore(database.tenants);
    const ref = { webhookId: id, deliveryId: attempt.deliveryId };
    expect(await deliveries.replay(TENANT, ref)).toMatchObject({ status: 'pending', attempts: 1, nextAttemptAt: null });
    expect(await attempts.claim(CLAIM)).toEqual([]);
    await attempts.finish(attempt, BAD, ENDING);
    expect(await deliveries.replay(TENANT, ref)).toMatchObject({ attempts: 1 });
    expect((await claimOne()).number).toBe(2);
  });

  it('says once that it disabled the webhook', async () => {
    await addWebhook();
    await happen(2);
    await attempts.fanOut();
    const claimed = await attempts.claim(CLAIM);
    const gone = { ...BAD, responseStatus: 410, retryInSeconds: null, isGone: true };
    const outcomes = await Promise.all(claimed.map((attempt) => attempts.finish(attempt, gone, ENDING)));
    expect(outcomes.toSorted()).toEqual([false, true]);
    const { rows } = await sql`select from events where type = 'webhook.disabled'`.execute(database.db);
    expect(rows).toHaveLength(1);
  });
});

it('what was told long ago is let go of', async () => {
  await addWebhook();
  await happen(3);
  await attempts.fanOut();
  await attempts.finish(await claimOne(), GOOD, ENDING);
  const keep = { deliveredDays: 7, otherDays: 30 };
  const age = (days: number) =>
    sql`update webhook_deliveries set created_at = created_at - make_interval(days => ${days})`.execute(database.db);
  await age(6);
  await attempts.deleteOld(keep);
  expect(await count()).toBe(3);
  await age(2);
  await attempts.deleteOld(keep);
  expect(await count()).toBe(2);
  await age(23);
  await attempts.deleteOld(keep);
  expect(await count()).toBe(0);
});

describe('a webhook', () => {
  it('is its tenant’s alone', async () => {
    const id = await addWebhook();
    expect(await webhooks.list(OTHER_TENANT_ID)).toEqual([]);
    expect(await webhooks.get(OTHER_TENANT_ID, id)).toBeUndefined();
    expect(await webhooks.update(OTHER_TENANT_ID, id, { isEnabled: false })).toBeUndefined();
    expect(await webhooks.rotate(OTHER_TENANT_ID, id, 60)).toBeUndefined();
    expect(await webhooks.delete(OTHER_TENANT_ID, id)).toBe(false);
    expect(await webhooks.get(TENANT, UNKNOWN_ID)).toBeUndefined();
    expect(await webhooks.get(TENANT, 'no id')).toBeUndefined();
    expect(await webhooks.list(TENANT)).toHaveLength(1);
  });

  it('is one of so many at the most, also when several come at once', async () => {
    await Promise.all(Array.from({ length: 25 }, () => addWebhook()));
    expect(await webhooks.list(TENANT)).toHaveLength(20);
  });
});
