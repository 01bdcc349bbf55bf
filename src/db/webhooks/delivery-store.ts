import { type Kysely, type Selectable, sql } from 'kysely';
import { type Delivery, type DeliveryStatus, TEST_MESSAGE_TYPE } from '../../domain/webhooks/webhook.ts';
import { EVENT_CHANNEL } from '../events/record-events.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { isUuid } from '../uuid.ts';

export type DeliveryQuery = {
  readonly status: DeliveryStatus | null;
  /** Go on behind this one. */
  readonly afterId: string | null;
  readonly limit: number;
};
export type DeliveryPage = { readonly deliveries: readonly Delivery[]; readonly nextId: string | null };
type DeliveryRef = { readonly webhookId: string; readonly deliveryId: string };

/** What was told to webhooks, or is to be: what owners see of it. `AttemptStore` is for those who send. */
export type DeliveryStore = {
  /** Newest first. */
  list(tenantId: string, webhookId: string, query: DeliveryQuery): Promise<DeliveryPage>;
  /** Has it sent again from the first attempt on, under the same event id. One that is to be sent yet is due at once. Undefined when there is none. */
  replay(tenantId: string, ref: DeliveryRef): Promise<Delivery | undefined>;
  /** Has a message sent that tells nothing. The webhook must be there. */
  addTest(tenantId: string, webhookId: string): Promise<Delivery>;
};

export function createDeliveryStore(db: TenantDb): DeliveryStore {
  return {
    async list(tenantId, webhookId, { status, afterId, limit }) {
      let query = select(db.of(tenantId), tenantId, webhookId)
        .orderBy('id', 'desc')
        .limit(limit + 1);
      if (status !== null) query = query.where('status', '=', status);
      if (afterId !== null) query = query.where('id', '<', afterId);
      const rows = await query.execute();
      const deliveries = rows.slice(0, limit).map(toDelivery);
      return { deliveries, nextId: rows.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
    },
    async replay(tenantId, { webhookId, deliveryId }) {
      if (!isUuid(webhookId) || !isUuid(deliveryId)) return undefined;
      // An attempt that is under way goes on.
      const { rows } = await sql<Selectable<Schema['webhook_deliveries']>>`
        update webhook_deliveries set
          status = 'pending', finished_at = null,
          attempts = case when status = 'pending' then attempts else 0 end,
          due_at = case when attempt_id is null then now() else due_at end
        where tenant_id = ${tenantId} and webhook_id = ${webhookId} and id = ${deliveryId}
        returning *`.execute(db.of(tenantId));
      const [row] = rows;
      if (row !== undefined) await tell(db, tenantId);
      return row && toDelivery(row);
    },
    async addTest(tenantId, webhookId) {
      const row = await db
        .of(tenantId)
        .insertInto('webhook_deliveries')
        .values({
          tenant_id: tenantId,
          webhook_id: webhookId,
          event_id: sql<string>`uuidv7()`,
          type: TEST_MESSAGE_TYPE,
          data: JSON.stringify({ webhook_id: webhookId }),
          occurred_at: sql<Date>`now()`,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await tell(db, tenantId);
      return toDelivery(row);
    },
  };
}

/** Nothing has happened, but there is something to be sent. */
async function tell(db: TenantDb, tenantId: string): Promise<void> {
  await sql`select pg_notify(${EVENT_CHANNEL}, ${tenantId} || ' 0')`.execute(db.of(tenantId));
}

function select(db: Kysely<Schema>, tenantId: string, webhookId: string) {
  return db.selectFrom('webhook_deliveries').selectAll().where('tenant_id', '=', tenantId).where('webhook_id', '=', webhookId);
}

function toDelivery(row: Selectable<Schema['webhook_deliveries']>): Delivery {
  return {
    id: row.id,
    webhookId: row.webhook_id,
    eventId: row.event_id,
    type: row.type,
    status: row.status,
    attempts: row.attempts,
    nextAttemptAt: row.attempt_id === null ? row.due_at : null,
    lastAttemptAt: row.attempted_at,
    responseStatus: row.response_status,
    errorCode: row.error_code,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  };
}
