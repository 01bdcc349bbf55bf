import { type Kysely, sql } from 'kysely';
import type { Schema } from '../schema.ts';

export type DueOptions = {
  /** The time is divided into slots of this length: each is to have a snapshot. */
  readonly intervalSeconds: number;
  /** How long a snapshot waits for wallets that are being read. */
  readonly patienceSeconds: number;
  /** How old the last snapshot has to be for one after a refresh on demand. */
  readonly pauseSeconds: number;
  readonly limit: number;
};

/**
 * Tenants that have something to be written down: once in each slot, and when everything has been refreshed on demand since the last snapshot. Not while a refresh runs, so that a snapshot tells a finished
 * one; wallets are always being read by schedule where there are many, so that those are waited for only so long. All by the clock of the database: a last snapshot that lies slots ahead of it was taken
 * before the clock went back, and does not keep the next one waiting.
 */
export async function listDue(
  db: Kysely<Schema>,
  { intervalSeconds, patienceSeconds, pauseSeconds, limit }: DueOptions,
): Promise<readonly string[]> {
  const slot = (moment: string): ReturnType<typeof sql> =>
    sql`floor(extract(epoch from ${sql.raw(moment)}) / ${intervalSeconds})`;
  const { rows } = await sql<{ id: string }>`
    select t.id from tenants t
    left join lateral (select taken_at from snapshots s where s.tenant_id = t.id order by at desc limit 1) last on true
    where (
      last.taken_at is null
      or ${slot('last.taken_at')} < ${slot('now()')}
      or last.taken_at > now() + make_interval(secs => ${intervalSeconds})
      or last.taken_at < now() - make_interval(secs => ${pauseSeconds}) and exists (
        select from refreshes r
        where r.tenant_id = t.id and r.status = 'finished' and r.scope_wallet_ids is null and r.scope_chains is null and r.finished_at > last.taken_at
      )
    )
    and (
      exists (select from wallets w where w.tenant_id = t.id)
      or exists (select from holding_series h where h.tenant_id = t.id and h.amount_raw > 0)
    )
    and not exists (select from refreshes r where r.tenant_id = t.id and r.status = 'running' and r.deadline_at > now())
    and (
      coalesce(last.taken_at + make_interval(secs => ${intervalSeconds}), (select min(created_at) from wallets w where w.tenant_id = t.id))
        < now() - make_interval(secs => ${patienceSeconds})
      or not exists (
        select from wallet_schedules c where c.tenant_id = t.id and c.claim_id is not null and c.claimed_until > now()
      )
    )
    order by t.id limit ${limit}`.execute(db);
  return rows.map(({ id }) => id);
}
