import { randomBytes } from 'node:crypto';
import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { EventType } from '../../domain/events/event.ts';
import type { IfVersion } from '../../domain/version.ts';
import type { Webhook } from '../../domain/webhooks/webhook.ts';
import { checkVersion } from '../check-version.ts';
import type { Schema } from '../schema.ts';
import { toStorableText } from '../storable-text.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';

export type NewWebhook = Pick<Webhook, 'url' | 'description' | 'eventTypes'>;
export type WebhookPatch = {
  readonly url?: string;
  readonly description?: string | null;
  readonly eventTypes?: readonly EventType[] | null;
  readonly isEnabled?: boolean;
  readonly ifVersion?: IfVersion;
};
/** The only moment at which a secret is told. */
export type WebhookWithSecret = { readonly webhook: Webhook; readonly secret: Buffer };

/** Where tenants are told what happens. */
export type WebhookStore = {
  /** Tells what happens from now on. Undefined when the tenant has `limit` of them already. */
  add(tenantId: string, webhook: NewWebhook, limit: number): Promise<WebhookWithSecret | undefined>;
  /** Oldest first. */
  list(tenantId: string): Promise<readonly Webhook[]>;
  /** These give undefined when there is no such webhook. */
  get(tenantId: string, id: string): Promise<Webhook | undefined>;
  /** One that is enabled again tells what happens from then on, and what was still to be told when it was disabled. Throws precondition_failed. */
  update(tenantId: string, id: string, patch: WebhookPatch): Promise<Webhook | undefined>;
  /** A new secret; the one before signs as well for so long. */
  rotate(tenantId: string, id: string, overlapSeconds: number): Promise<WebhookWithSecret | undefined>;
  /** Throws precondition_failed. */
  delete(tenantId: string, id: string, ifVersion?: IfVersion): Promise<boolean>;
};

const SECRET_BYTES = 32;

export function createWebhookStore(db: TenantDb): WebhookStore {
  return {
    add: (tenantId, webhook, limit) => inTransaction(db.of(tenantId), (trx) => add(trx, tenantId, { webhook, limit })),
    async list(tenantId) {
      const rows = await select(db.of(tenantId), tenantId).orderBy('id').execute();
      return rows.map(toWebhook);
    },
    async get(tenantId, id) {
      if (!isUuid(id)) return undefined;
      const row = await select(db.of(tenantId), tenantId).where('id', '=', id).executeTakeFirst();
      return row && toWebhook(row);
    },
    update: (tenantId, id, patch) =>
      inTransaction(db.of(tenantId), async (trx) => {
        if (!isUuid(id)) return undefined;
        await checkVersion(trx, { table: 'webhooks', tenantId, id, ifVersion: patch.ifVersion ?? null });
        const row = await trx
          .updateTable('webhooks')
          .set({
            ...toColumns(patch),
            ...toSwitch(tenantId, patch),
            updated_at: sql<Date>`now()`,
            version: sql<number>`version + 1`,
          })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        return row && toWebhook(row);
      }),
    async rotate(tenantId, id, overlapSeconds) {
      if (!isUuid(id)) return undefined;
      const secret = randomBytes(SECRET_BYTES);
      const row = await db
        .of(tenantId)
        .updateTable('webhooks')
        .set(({ ref }) => ({
          secret,
          old_secret: ref('secret'),
          old_secret_until: sql<Date>`now() + make_interval(secs => ${overlapSeconds})`,
          updated_at: sql<Date>`now()`,
          version: sql<number>`${ref('version')} + 1`,
        }))
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .returningAll()
        .executeTakeFirst();
      return row && { webhook: toWebhook(row), secret };
    },
    delete: (tenantId, id, ifVersion = null) => inTransaction(db.of(tenantId), (trx) => remove(trx, tenantId, { id, ifVersion })),
  };
}

async function add(
  trx: Transaction<Schema>,
  tenantId: string,
  { webhook, limit }: { readonly webhook: NewWebhook; readonly limit: number },
): Promise<WebhookWithSecret | undefined> {
  // Two that come at once are not to be one too many.
  await sql`select pg_advisory_xact_lock(hashtextextended('webhooks ' || ${tenantId}, 0))`.execute(trx);
  const { count } = await trx
    .selectFrom('webhooks')
    .where('tenant_id', '=', tenantId)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  if (count >= limit) return undefined;
  const secret = randomBytes(SECRET_BYTES);
  const row = await trx
    .insertInto('webhooks')
    .values({
      tenant_id: tenantId,
      url: webhook.url,
      secret,
      seen_seq: lastSeq(tenantId),
      ...toColumns(webhook),
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { webhook: toWebhook(row), secret };
}

async function remove(
  trx: Transaction<Schema>,
  tenantId: string,
  { id, ifVersion }: { readonly id: string; readonly ifVersion: IfVersion },
): Promise<boolean> {
  if (!isUuid(id)) return false;
  await checkVersion(trx, { table: 'webhooks', tenantId, id, ifVersion });
  const query = trx.deleteFrom('webhooks').where('tenant_id', '=', tenantId).where('id', '=', id);
  return (await query.executeTakeFirst()).numDeletedRows > 0n;
}

type Columns = { url?: string; description?: string | null; event_types?: EventType[] | null };

function toColumns({ url, description, eventTypes }: WebhookPatch): Columns {
  return {
    ...(url === undefined ? {} : { url }),
    ...(description === undefined ? {} : { description: toStorableText(description) }),
    ...(eventTypes === undefined ? {} : { event_types: eventTypes === null ? null : [...new Set(eventTypes)] }),
  };
}

/** What being switched on or off sets; nothing where it is on, or off, already. */
function toSwitch(tenantId: string, { isEnabled }: WebhookPatch) {
  if (isEnabled === undefined) return {};
  if (!isEnabled) {
    return {
      disabled_at: sql<Date>`coalesce(disabled_at, now())`,
      disabled_reason: sql<'by_request'>`coalesce(disabled_reason, 'by_request')`,
    };
  }
  return {
    seen_seq: sql<string>`case when disabled_at is null then seen_seq else ${lastSeq(tenantId)} end`,
    disabled_at: null,
    disabled_reason: null,
    failing_since: null,
    paused_until: null,
  };
}

function lastSeq(tenantId: string) {
  return sql<string>`coalesce((select c.last_seq from event_counters c where c.tenant_id = ${tenantId}), 0)`;
}

function select(db: Kysely<Schema>, tenantId: string) {
  return db.selectFrom('webhooks').selectAll().where('tenant_id', '=', tenantId);
}

function toWebhook(row: Selectable<Schema['webhooks']>): Webhook {
  const { disabled_at: at, disabled_reason: reason, old_secret_until: oldSecretUntil } = row;
  return {
    id: row.id,
    url: row.url,
    description: row.description,
    eventTypes: row.event_types,
    disabled: at === null || reason === null ? null : { at, reason },
    failingSince: row.failing_since,
    oldSecretUntil,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
  };
}
