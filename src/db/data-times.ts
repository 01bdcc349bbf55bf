import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** When what is stored was observed, over all tenants. */
export type DataTimes = {
  /** By chain slug, the oldest last good reading of any source; no entry for a chain of which nothing was ever read. */
  readonly oldestReadings: ReadonlyMap<string, Date>;
  /** By price source, the newest of its quotes that are in use. */
  readonly newestQuotes: ReadonlyMap<string, Date>;
  /** For `any` grade and for `full`, the newest snapshot of the tenant that has waited the longest for one; no entry while one has none yet. */
  readonly newestSnapshots: ReadonlyMap<'any' | 'full', Date>;
};

/** Reads the tables once: for every minute, not for every request. */
export async function readDataTimes(db: Kysely<Schema>): Promise<DataTimes> {
  const readings = await sql<{ chain: string; time: Date }>`
    select chain, min(observed_at) as time from sources where observed_at is not null group by chain`.execute(db);
  const quotes = await sql<{ source: string; time: Date }>`
    select good_source as source, max(good_quoted_at) as time from prices where good_source is not null group by good_source`.execute(
    db,
  );
  const snapshots = await sql<{ grade: 'any' | 'full'; time: Date }>`
    select wanted as grade, min(at) as time
    from tenants t cross join unnest(array['any', 'full']) as wanted
    left join lateral (
      select at from snapshots s where s.tenant_id = t.id and (wanted = 'any' or s.grade = wanted) order by at desc limit 1
    ) newest on true
    where exists (select from wallets w where w.tenant_id = t.id)
    group by wanted having count(*) = count(at)`.execute(db);
  return {
    oldestReadings: new Map(readings.rows.map(({ chain, time }) => [chain, time])),
    newestQuotes: new Map(quotes.rows.map(({ source, time }) => [source, time])),
    newestSnapshots: new Map(snapshots.rows.map(({ grade, time }) => [grade, time])),
  };
}
