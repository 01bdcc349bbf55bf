import { sql } from 'kysely';
import type { FxRate } from '../../adapters/price-source.ts';
import { type Decimal, formatDecimal } from '../../domain/decimal.ts';
import { noteChange, SHARED_DATA_ID } from '../data-version.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { ensureMonth } from './snapshot-store.ts';

/** An asset whose price is needed at some moment. */
export type PriceNeed = { readonly assetId: string; readonly at: Date };

export type PastPrice = { readonly assetId: string; readonly quotedAt: Date; readonly value: Decimal; readonly source: string };

/** Prices of the past, shared by all tenants. */
export type PriceHistoryStore = {
  /** Those for which no price is known that was quoted within so many seconds before. */
  findUnpriced(needs: readonly PriceNeed[], maxAgeSeconds: number): Promise<readonly PriceNeed[]>;
  /** Those moments for which no rate is known that was quoted within so many seconds before: of any currency but the coins told as currencies, or of one of those coins. */
  findWithoutRates(
    moments: readonly Date[],
    query: { readonly of: 'currencies' | 'coins'; readonly maxAgeSeconds: number },
  ): Promise<readonly Date[]>;
  saveRates(rates: readonly FxRate[]): Promise<void>;
  /** A price that is known already for its moment stays. */
  save(prices: readonly PastPrice[]): Promise<void>;
};

export function createPriceHistoryStore({ all: db }: TenantDb): PriceHistoryStore {
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
    async findWithoutRates(moments, { of, maxAgeSeconds }) {
      const count = sql`(
        select count(distinct f.currency) from fx_points f
        where f.at <= m.at and f.at > m.at - make_interval(secs => ${maxAgeSeconds}) and (f.currency in ('BTC', 'ETH')) = ${of === 'coins'}
      )`;
      const { rows } = await sql<{ at: Date }>`
        select m.at from unnest(${moments.map((at) => at.toISOString())}::timestamptz[]) as m (at)
        where ${count} < ${of === 'coins' ? 2 : 1}
        order by m.at desc`.execute(db);
      return rows.map(({ at }) => at);
    },
    async saveRates(rates) {
      if (rates.length === 0) return;
      await inTransaction(db, async (trx) => {
        await sql`
          insert into fx_points (currency, at, per_usd, source)
          select i.* from unnest(
            ${rates.map(({ currency }) => currency)}::text[],
            ${rates.map(({ quotedAt }) => quotedAt.toISOString())}::timestamptz[],
            ${rates.map(({ perUsd }) => perUsd)}::numeric[],
            ${rates.map(({ source }) => source)}::text[]
          ) as i (currency, at, per_usd, source)
          order by i.currency, i.at on conflict do nothing`.execute(trx);
        await noteChange(trx, SHARED_DATA_ID);
      });
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
