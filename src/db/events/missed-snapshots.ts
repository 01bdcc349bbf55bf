import { sql, type Transaction } from 'kysely';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { recordEvents } from './record-events.ts';

type Gap = { readonly from: Date; readonly until: Date; readonly missed: number; readonly last: Date };

/** Tenants of one run; those that are left come next. */
const MAX_TENANTS = 1_000;

/**
 * Tells of intervals that have passed without a snapshot, each once, however many do this at once. To be done before the next snapshot is taken, which would hide
 * them.
 */
export async function recordMissedSnapshots(db: TenantDb, intervalSeconds: number): Promise<void> {
  const { rows } = await sql<{ id: string }>`select t.id ${missed(intervalSeconds)} limit ${MAX_TENANTS}`.execute(db.all);
  for (const { id } of rows) await inTransaction(db.of(id), (trx) => recordGap(trx, id, intervalSeconds));
}

function slotOf(moment: string, intervalSeconds: number): ReturnType<typeof sql> {
  return sql`floor(extract(epoch from ${sql.raw(moment)}) / ${intervalSeconds}::integer)`;
}

/** From tenants `t` who have had a snapshot, and none in at least one whole interval since. What there was nothing of was not missed. */
function missed(intervalSeconds: number): ReturnType<typeof sql> {
  return sql`
    from tenants t
    cross join lateral (select taken_at from snapshots s where s.tenant_id = t.id order by at desc limit 1) last
    left join snapshot_gaps g on g.tenant_id = t.id
    cross join lateral (
      select greatest(last.taken_at, g.told_through, (select min(w.created_at) from wallets w where w.tenant_id = t.id)) as moment
    ) since
    where ${slotOf('since.moment', intervalSeconds)} < ${slotOf('now()', intervalSeconds)} - 1
      and (
        exists (select from wallets w where w.tenant_id = t.id)
        or exists (select from holding_series h where h.tenant_id = t.id and h.amount_raw > 0)
      )`;
}

async function recordGap(trx: Transaction<Schema>, tenantId: string, intervalSeconds: number): Promise<void> {
  const start = (slot: ReturnType<typeof sql>): ReturnType<typeof sql> =>
    sql`to_timestamp(${slot} * ${intervalSeconds}::integer)`;
  const sinceSlot = slotOf('since.moment', intervalSeconds);
  const nowSlot = slotOf('now()', intervalSeconds);
  const { rows } = await sql<Gap>`
    with gap as (
      select ${start(sql`(${sinceSlot} + 1)`)} as "from", ${start(nowSlot)} as until,
        (${nowSlot} - ${sinceSlot} - 1)::integer as missed, last.taken_at as last
      ${missed(intervalSeconds)} and t.id = ${tenantId}
    ), told as (
      insert into snapshot_gaps as s (tenant_id, told_through) select ${tenantId}, until - interval '1 ms' from gap
      on conflict (tenant_id) do update set told_through = excluded.told_through where s.told_through < excluded.told_through
      returning s.told_through
    )
    select gap.* from gap, told`.execute(trx);
  await recordEvents(
    trx,
    tenantId,
    rows.map(({ from, until, missed: count, last }) => ({
      type: 'snapshot.missed',
      data: {
        from: from.toISOString(),
        until: until.toISOString(),
        missed_count: count,
        last_snapshot_at: last.toISOString(),
      },
    })),
  );
}
