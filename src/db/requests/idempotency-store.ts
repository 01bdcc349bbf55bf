import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';

/** One doing of a write that its client has given a key. */
export type Attempt = { readonly key: string; readonly attemptId: string };

/** What is found under a key: nothing yet, so that this attempt may begin; one that is under way; another request; an answer. */
export type Begun =
  | { readonly status: 'begun' }
  | { readonly status: 'under_way' }
  | { readonly status: 'other_request' }
  | { readonly status: 'answered'; readonly answer: string };

export type IdempotencyStore = {
  /** Takes the key for an attempt. One whose attempt has let its lease run out is free again for the same request, and one that is too old for any. */
  begin(
    tenantId: string,
    attempt: Attempt & { readonly fingerprint: string; readonly leaseSeconds: number; readonly keptSeconds: number },
  ): Promise<Begun>;
  /** These three do nothing when the key is another attempt's by now. */
  renew(tenantId: string, attempt: Attempt & { readonly leaseSeconds: number }): Promise<void>;
  keep(tenantId: string, attempt: Attempt & { readonly answer: string }): Promise<void>;
  release(tenantId: string, attempt: Attempt): Promise<void>;
  /** Forgets what is older, of all tenants: how many. */
  deleteOld(options: { readonly keptSeconds: number; readonly limit: number }): Promise<number>;
};

export function createIdempotencyStore(db: TenantDb): IdempotencyStore {
  const held = (tenantId: string, { key, attemptId }: Attempt): ReturnType<typeof sql> =>
    sql`tenant_id = ${tenantId} and key = ${key} and attempt_id = ${attemptId} and answer is null`;
  return {
    begin: (tenantId, attempt) => begin(db.of(tenantId), tenantId, attempt),
    async renew(tenantId, { leaseSeconds, ...attempt }) {
      await sql`update idempotency_keys set lease_until = ${secondsFromNow(leaseSeconds)} where ${held(tenantId, attempt)}`.execute(
        db.of(tenantId),
      );
    },
    async keep(tenantId, { answer, ...attempt }) {
      await sql`update idempotency_keys set answer = ${answer} where ${held(tenantId, attempt)}`.execute(db.of(tenantId));
    },
    async release(tenantId, attempt) {
      await sql`delete from idempotency_keys where ${held(tenantId, attempt)}`.execute(db.of(tenantId));
    },
    async deleteOld({ keptSeconds, limit }) {
      const { numAffectedRows = 0n } = await sql`
        delete from idempotency_keys where (tenant_id, key) in (
          select tenant_id, key from idempotency_keys where created_at < ${secondsFromNow(-keptSeconds)} order by created_at limit ${limit}
          for update skip locked
        )`.execute(db.all);
      return Number(numAffectedRows);
    },
  };
}

/** Postgres refuses to let two attempts in: whoever comes second waits for the row of the first, and then finds it. */
async function begin(
  db: Kysely<Schema>,
  tenantId: string,
  { key, attemptId, fingerprint, leaseSeconds, keptSeconds }: Parameters<IdempotencyStore['begin']>[1],
): Promise<Begun> {
  const { numAffectedRows } = await sql`
    insert into idempotency_keys as k (tenant_id, key, fingerprint, attempt_id, lease_until)
    values (${tenantId}, ${key}, ${fingerprint}, ${attemptId}, ${secondsFromNow(leaseSeconds)})
    on conflict (tenant_id, key) do update set
      fingerprint = excluded.fingerprint, attempt_id = excluded.attempt_id, lease_until = excluded.lease_until, answer = null, created_at = now()
    where k.created_at < ${secondsFromNow(-keptSeconds)}
      or (k.answer is null and k.lease_until < now() and k.fingerprint = excluded.fingerprint)`.execute(db);
  if (numAffectedRows === 1n) return { status: 'begun' };
  const row = await db
    .selectFrom('idempotency_keys')
    .select(['fingerprint', 'answer'])
    .where('tenant_id', '=', tenantId)
    .where('key', '=', key)
    .executeTakeFirst();
  if (row !== undefined && row.fingerprint !== fingerprint) return { status: 'other_request' };
  // It may have been let go of in between: then the next try begins.
  if (row === undefined || row.answer === null) return { status: 'under_way' };
  return { status: 'answered', answer: row.answer };
}

function secondsFromNow(seconds: number): ReturnType<typeof sql> {
  return sql`now() + make_interval(secs => ${seconds})`;
}
