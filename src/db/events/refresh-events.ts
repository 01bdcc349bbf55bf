import { sql, type Transaction } from 'kysely';
import type { NewEvent } from '../../domain/events/event.ts';
import type { Schema } from '../schema.ts';
import { recordEvents } from './record-events.ts';

type EndedRow = {
  readonly id: string;
  readonly status: string;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly failed: readonly FailedRow[];
};

type FailedRow = {
  readonly wallet_id: string;
  readonly chain: string;
  readonly kind: string;
  readonly code: string | null;
  readonly provider: string | null;
};

/** Of one refresh; asking for it tells the rest. */
const MAX_FAILED = 100;

/** Tells of refreshes that have just ended. One in which not every source had its turn, or one failed, counts as failed. */
export async function recordRefreshEnds(trx: Transaction<Schema>, tenantId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const { rows } = await sql<EndedRow>`
    select r.id, r.status, r.started_at, r.finished_at,
      (
        select coalesce(jsonb_object_agg(status, number), '{}') from (
          select s.status, count(*) as number from refresh_sources s
          where s.tenant_id = r.tenant_id and s.refresh_id = r.id group by s.status
        ) c
      ) as counts,
      array(
        select jsonb_build_object('wallet_id', s.wallet_id, 'chain', s.chain, 'kind', s.kind, 'code', s.error_code, 'provider', s.error_provider)
        from refresh_sources s where s.tenant_id = r.tenant_id and s.refresh_id = r.id and s.status in ('failed', 'pending')
        order by s.ordinal limit ${MAX_FAILED}
      ) as failed
    from refreshes r where r.tenant_id = ${tenantId} and r.id = any(${ids}::uuid[]) order by r.started_at`.execute(trx);
  await recordEvents(trx, tenantId, rows.map(toEvent));
}

function toEvent({ id, status, started_at, finished_at, counts, failed }: EndedRow): NewEvent {
  const data = {
    refresh_id: id,
    status,
    started_at: started_at.toISOString(),
    finished_at: finished_at?.toISOString() ?? null,
    source_counts: { ok: 0, failed: 0, unsupported: 0, pending: 0, ...counts },
    failed_sources: failed.map(({ code, provider, ...source }) => ({
      ...source,
      error: code === null ? null : { code, provider },
    })),
  };
  return { type: failed.length > 0 || status !== 'finished' ? 'refresh.failed' : 'refresh.finished', data };
}
