import { sql, type Transaction } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import type { EventData } from '../../domain/events/event.ts';
import type { Message, MessageType } from '../../domain/webhooks/webhook.ts';
import { recordEvents } from '../events/record-events.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';

/** One attempt at telling a webhook of an event, which nobody else makes. */
export type Attempt = Message & {
  readonly tenantId: string;
  readonly webhookId: string;
  readonly deliveryId: string;
  readonly attemptId: string;
  /** From 1. */
  readonly number: number;
  readonly url: string;
  /** What it is signed with: the secret there is, and in an overlap the one before. */
  readonly secrets: readonly Buffer[];
};

export type ClaimOptions = {
  readonly limit: number;
  /** Attempts at one webhook that may be under way at once, in all processes. */
  readonly limitEach: number;
  /** And at all webhooks of one tenant, who may have many that are slow. */
  readonly limitTenant: number;
  /** An attempt that is not ended by then was lost with its process, and another is made. */
  readonly leaseSeconds: number;
};

export type AttemptOutcome = {
  readonly responseStatus: number | null;
  /** null: it arrived. */
  readonly errorCode: ErrorCode | null;
  /** null: there is none to come, because it arrived or because it is given up. */
  readonly retryInSeconds: number | null;
  /** Nothing is sent to the webhook for so long. */
  readonly pauseSeconds: number;
  /** The other side never wants anything any more. */
  readonly isGone: boolean;
};

/** What is to be sent to webhooks, of whomever. Times are the database's own. */
export type AttemptStore = {
  /** Notes for each webhook what it is to be told of what has happened. Each event is noted once, whoever does it. Gives the number of webhooks that had fallen behind; there may be more. */
  fanOut(): Promise<number>;
  /** Takes attempts that are due, tenant by tenant in turn, each one's longest waiting first. */
  claim(options: ClaimOptions): Promise<readonly Attempt[]>;
  /**
   * Ends an attempt; without effect on one that counts as lost. A webhook that had nothing but failures for so long is disabled, and the tenant's events tell so. Gives whether this did that.
   */
  finish(attempt: Attempt, outcome: AttemptOutcome, options: { readonly disableAfterSeconds: number }): Promise<boolean>;
  /** Gives an attempt up that was not made to the end. The next one is due at once. */
  handBack(attempt: Attempt): Promise<void>;
  /** Lets go of what was told so long ago. */
  deleteOld(keep: { readonly deliveredDays: number; readonly otherDays: number }): Promise<void>;
};

/** Of one webhook in one statement. */
const EVENTS_AT_ONCE = 500;
const WEBHOOKS_AT_ONCE = 200;

export function createAttemptStore(db: TenantDb): AttemptStore {
  return {
    fanOut: () => fanOut(db),
    claim: (options) => claim(db, options),
    finish: (attempt, outcome, { disableAfterSeconds }) =>
      inTransaction(db.of(attempt.tenantId), (trx) => finish(trx, attempt, { ...outcome, disableAfterSeconds })),
    async handBack({ tenantId, deliveryId, attemptId }) {
      await sql`
        update webhook_deliveries set attempt_id = null, due_at = now()
        where tenant_id = ${tenantId} and id = ${deliveryId} and attempt_id = ${attemptId}`.execute(db.of(tenantId));
    },
    async deleteOld({ deliveredDays, otherDays }) {
      await sql`
        delete from webhook_deliveries
        where created_at < now() - make_interval(days => ${Math.min(deliveredDays, otherDays)})
          and created_at < now() - make_interval(days => case when status = 'delivered' then ${deliveredDays}::int else ${otherDays}::int end)`.execute(
        db.all,
      );
    },
  };
}

/**
 * Goes on for each webhook behind the last event that was looked at. Events come to be seen in the order of their numbers, and with each the count of the last: when there
 * are none left up to it, it has been reached, also where old ones were deleted.
 */
async function fanOut(db: TenantDb): Promise<number> {
  const { rows } = await sql<{ id: string }>`
    with behind as materialized (
      select w.tenant_id, w.id, w.event_types, w.seen_seq, c.last_seq
      from webhooks w join event_counters c on c.tenant_id = w.tenant_id
      where w.disabled_at is null and w.seen_seq < c.last_seq
      order by w.tenant_id, w.id limit ${WEBHOOKS_AT_ONCE} for update of w skip locked
    ), next as materialized (
      select b.tenant_id, b.id as webhook_id, b.event_types, e.*
      from behind b cross join lateral (
        select e.seq, e.id as event_id, e.type, e.data, e.occurred_at from events e
        where e.tenant_id = b.tenant_id and e.seq > b.seen_seq and e.seq <= b.last_seq order by e.seq limit ${EVENTS_AT_ONCE}
      ) e
    ), noted as (
      insert into webhook_deliveries (tenant_id, webhook_id, event_id, type, data, occurred_at)
      select tenant_id, webhook_id, event_id, type, data, occurred_at from next
      where event_types is null or type = any(event_types) order by seq
      on conflict (tenant_id, webhook_id, event_id) do nothing
    )
    update webhooks w set seen_seq = greatest(w.seen_seq, reached.seq)
    from (
      select b.tenant_id, b.id, case when count(n.seq) = ${EVENTS_AT_ONCE} then max(n.seq) else b.last_seq end as seq
      from behind b left join next n on n.tenant_id = b.tenant_id and n.webhook_id = b.id
      group by b.tenant_id, b.id, b.last_seq
    ) reached
    where w.tenant_id = reached.tenant_id and w.id = reached.id
    returning w.id`.execute(db.all);
  return rows.length;
}

async function claim(db: TenantDb, { limit, limitEach, limitTenant, leaseSeconds }: ClaimOptions): Promise<readonly Attempt[]> {
  const { rows } = await sql<AttemptRow>`
    with open as materialized (
      select w.*, busy.count as busy, sum(busy.count) over (partition by w.tenant_id) as busy_tenant
      from webhooks w
      cross join lateral (
        select count(*) as count from webhook_deliveries b
        where b.tenant_id = w.tenant_id and b.webhook_id = w.id and b.status = 'pending' and b.due_at > now() and b.attempt_id is not null
      ) busy
      where w.disabled_at is null
    ), due as materialized (
      select d.tenant_id, d.id, d.due_at, w.url, w.secret, case when w.old_secret_until > now() then w.old_secret end as old_secret,
        w.busy_tenant + row_number() over (partition by w.tenant_id order by d.due_at) as place
      from open w
      cross join lateral (
        select d.tenant_id, d.id, d.due_at from webhook_deliveries d
        where d.tenant_id = w.tenant_id and d.webhook_id = w.id and d.status = 'pending' and d.due_at <= now()
        order by d.due_at limit greatest(0, ${limitEach} - w.busy) for update of d skip locked
      ) d
      where w.paused_until is null or w.paused_until <= now()
    ), taken as materialized (
      select * from due where place <= ${limitTenant} order by place, due_at limit ${limit}
    )
    update webhook_deliveries d
    set attempts = d.attempts + 1, attempt_id = gen_random_uuid(), attempted_at = now(), due_at = now() + make_interval(secs => ${leaseSeconds})
    from taken t where d.tenant_id = t.tenant_id and d.id = t.id
    returning d.tenant_id, d.webhook_id, d.id, d.attempt_id, d.attempts, d.event_id, d.type, d.occurred_at, d.data, t.url, t.secret, t.old_secret`.execute(
    db.all,
  );
  return rows.map(toAttempt);
}

type AttemptRow = {
  readonly tenant_id: string;
  readonly webhook_id: string;
  readonly id: string;
  readonly attempt_id: string;
  readonly attempts: number;
  readonly event_id: string;
  readonly type: MessageType;
  readonly occurred_at: Date;
  readonly data: EventData;
  readonly url: string;
  readonly secret: Buffer;
  readonly old_secret: Buffer | null;
};

function toAttempt(row: AttemptRow): Attempt {
  return {
    tenantId: row.tenant_id,
    webhookId: row.webhook_id,
    deliveryId: row.id,
    attemptId: row.attempt_id,
    number: row.attempts,
    eventId: row.event_id,
    type: row.type,
    occurredAt: row.occurred_at,
    data: row.data,
    url: row.url,
    secrets: row.old_secret === null ? [row.secret] : [row.secret, row.old_secret],
  };
}

type Ending = AttemptOutcome & { readonly disableAfterSeconds: number };

async function finish(trx: Transaction<Schema>, attempt: Attempt, ending: Ending): Promise<boolean> {
  const { tenantId, webhookId, deliveryId, attemptId } = attempt;
  const { responseStatus, errorCode, retryInSeconds } = ending;
  // Before its delivery, as whoever deletes it does.
  await sql`select from webhooks where tenant_id = ${tenantId} and id = ${webhookId} for update`.execute(trx);
  const isOver = retryInSeconds === null;
  const { numAffectedRows } = await sql`
    update webhook_deliveries set
      attempt_id = null, response_status = ${responseStatus}, error_code = ${errorCode},
      status = ${errorCode === null ? 'delivered' : isOver ? 'failed' : 'pending'},
      due_at = ${isOver ? null : sql`now() + make_interval(secs => ${retryInSeconds})`},
      finished_at = ${isOver ? sql`now()` : null}
    where tenant_id = ${tenantId} and id = ${deliveryId} and attempt_id = ${attemptId} and status = 'pending'`.execute(trx);
  if (numAffectedRows === 0n) return false;
  return errorCode === null ? noteSuccess(trx, attempt) : noteFailure(trx, attempt, ending);
}

async function noteSuccess(trx: Transaction<Schema>, { tenantId, webhookId }: Attempt): Promise<false> {
  await sql`
    update webhooks set failing_since = null, paused_until = null
    where tenant_id = ${tenantId} and id = ${webhookId} and (failing_since is not null or paused_until is not null)`.execute(trx);
  return false;
}

async function noteFailure(
  trx: Transaction<Schema>,
  { tenantId, webhookId }: Attempt,
  { pauseSeconds, isGone, disableAfterSeconds }: Ending,
): Promise<boolean> {
  const reason = sql<'gone' | 'failing' | null>`case
    when ${isGone} then 'gone'
    when failing_since <= now() - make_interval(secs => ${disableAfterSeconds}) then 'failing'
  end`;
  const { rows } = await sql<{ reason: string }>`
    update webhooks set
      failing_since = coalesce(failing_since, now()),
      paused_until = case when ${pauseSeconds} > 0 then now() + make_interval(secs => ${pauseSeconds}) else paused_until end,
      disabled_reason = coalesce(disabled_reason, ${reason}),
      disabled_at = coalesce(disabled_at, case when ${reason} is not null then now() end)
    where tenant_id = ${tenantId} and id = ${webhookId}
    returning case when old.disabled_at is null then new.disabled_reason end as reason`.execute(trx);
  const disabled = rows[0]?.reason ?? null;
  if (disabled === null) return false;
  await recordEvents(trx, tenantId, [{ type: 'webhook.disabled', data: { webhook_id: webhookId, reason: disabled } }]);
  return true;
}
