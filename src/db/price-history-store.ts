import { type Kysely, sql } from 'kysely';
import { type Decimal, formatDecimal } from '../domain/decimal.ts';
import { noteChange, SHARED_DATA_ID } from './data-version.ts';
import type { Schema } from './schema.ts';
import { ensureMonth } from './snapshot-store.ts';
import { inTransaction } from './transaction.ts';

/** An asset whose price is needed at some moment. */
export type PriceNeed = { readonly assetId: string; readonly at: Date };

export type PastPrice = { readonly assetId: string; readonly quotedAt: Date; readonly value: Decimal; readonly source: string };

/** Prices of the past, shared by all tenants. */
export type PriceHistoryStore = {
  /** Those for which no price is known that was quoted within so many seconds before. */
  findUnpriced(needs: readonly PriceNeed[], maxAgeSeconds: number): Promise<readonly PriceNeed[]>;
  /** A price that is known already for its moment stays. */
  save(prices: readonly PastPrice[]): Promise<void>;
};

export function createPriceHistoryStore(db: Kysely<Schema>): PriceHistoryStore {
  return {
    async findUnpriced(needs, maxAgeSeconds) {
      const { rows } = await sql<{ place: number }>`
        select n.place::int - 1 as place
        from unnest(
          ${needs.map(({ assetId }) => assetId)}::uuid[],
          ${needs.map(({ at }) => at.toISOString())}::timestamptz[]
        ) with ordinality as n (asset_id, at, place)
        where not exists (
          select from price_points p
          where p.asset_id = n.asset_id and p.at <= n.at and p.at > n.at - make_interval(secs => ${maxAgeSeconds})
        )
        order by n.place`.execute(db);
      return rows.flatMap(({ place }) => needs[place] ?? []);
    },
    async save(prices) {
      if (prices.length === 0) return;
      // Apart from the rest, since a new month keeps others waiting.
      const months = new Map(prices.map(({ quotedAt }) => [quotedAt.toISOString().slice(0, 7), quotedAt]));
      for (const month of months.values()) await ensureMonth(db, 'price_points', month);
      await inTransaction(db, async (trx) => {
        await sql`
          insert into price_points (asset_id, at, value, source)
          select i.* from unnest(
            ${prices.map(({ assetId }) => assetId)}::uuid[],
            ${prices.map(({ quotedAt }) => quotedAt.toISOString())}::timestamptz[],
            ${prices.map(({ value }) => formatDecimal(value))}::numeric[],
            ${prices.map(({ source }) => source)}::text[]
          ) as i (asset_id, at, value, source)
          order by i.asset_id, i.at on conflict do nothing`.execute(trx);
        await noteChange(trx, SHARED_DATA_ID);
      });
    },
  };
}
