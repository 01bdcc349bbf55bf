import { type Kysely, sql } from 'kysely';
import type { Schema } from './schema.ts';

/** When what is stored was observed, over all tenants. */
export type DataTimes = {
  /** By chain slug, the oldest last good reading of any source; no entry for a chain of which nothing was ever read. */
  readonly oldestReadings: ReadonlyMap<string, Date>;
  /** By price source, the newest of its quotes that are in use. */
  readonly newestQuotes: ReadonlyMap<string, Date>;
};

/** Reads both tables once: for every minute, not for every request. */
export async function readDataTimes(db: Kysely<Schema>): Promise<DataTimes> {
  const readings = await sql<{ chain: string; time: Date }>`
    select chain, min(observed_at) as time from sources where observed_at is not null group by chain`.execute(db);
  const quotes = await sql<{ source: string; time: Date }>`
    select good_source as source, max(good_quoted_at) as time from prices where good_source is not null group by good_source`.execute(
    db,
  );
  return {
    oldestReadings: new Map(readings.rows.map(({ chain, time }) => [chain, time])),
    newestQuotes: new Map(quotes.rows.map(({ source, time }) => [source, time])),
  };
}
