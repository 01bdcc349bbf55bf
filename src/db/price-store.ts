import { type Kysely, type Selectable, sql } from 'kysely';
import type { FxRate } from '../adapters/price-source.ts';
import { Decimal, formatDecimal } from '../domain/decimal.ts';
import type { MarketPrice, PriceAttempt, Quote } from '../domain/price.ts';
import { noteChange, SHARED_DATA_ID } from './data-version.ts';
import { toPlainDecimal } from './plain-decimal.ts';
import type { Schema } from './schema.ts';
import { toStorableText } from './storable-text.ts';
import type { TenantDb } from './tenant-db.ts';
import { inTransaction } from './transaction.ts';
import { isUuid } from './uuid.ts';

/** Market prices and currency rates, shared by all tenants. */
export type PriceStore = {
  /** By asset id; an asset never asked about has no entry. */
  getPrices(assetIds: readonly string[]): Promise<ReadonlyMap<string, MarketPrice>>;
  /** Writes each entry whole, unless a later `checkedAt` is stored. */
  savePrices(prices: ReadonlyMap<string, MarketPrice>): Promise<void>;
  /** The last known rate of each currency asked for. */
  getRates(currencies: readonly string[]): Promise<ReadonlyMap<string, FxRate>>;
  saveRates(rates: readonly FxRate[]): Promise<void>;
};

export function createPriceStore({ all: db }: TenantDb): PriceStore {
  return {
    async getPrices(assetIds) {
      const rows = await db
        .selectFrom('prices')
        .selectAll()
        .where(sql<boolean>`asset_id = any(${assetIds.filter(isUuid)}::uuid[])`)
        .execute();
      return new Map(rows.map((row) => [row.asset_id, toMarketPrice(row)]));
    },
    async savePrices(prices) {
      if (prices.size === 0) return;
      await inTransaction(db, async (trx) => {
        await savePrices(trx, prices);
        await noteChange(trx, SHARED_DATA_ID);
      });
    },
    async getRates(currencies) {
      const rows = await db
        .selectFrom('fx_rates')
        .selectAll()
        .where(sql<boolean>`currency = any(${currencies}::text[])`)
        .execute();
      return new Map(
        rows.map(({ currency, per_usd: perUsd, source, quoted_at: quotedAt }) => [
          currency,
          { currency, perUsd: toPlainDecimal(perUsd), source, quotedAt },
        ]),
      );
    },
    async saveRates(rates) {
      if (rates.length === 0) return;
      await inTransaction(db, async (trx) => {
        await saveRates(trx, rates);
        await noteChange(trx, SHARED_DATA_ID);
      });
    },
  };
}

/** Sorted, so that two calls never wait for each other. */
async function savePrices(db: Kysely<Schema>, prices: ReadonlyMap<string, MarketPrice>): Promise<void> {
  const entries = [...prices.values()];
  const good = entries.map(({ lastGood }) => lastGood);
  const suspect = entries.map((entry) => entry.suspect);
  await sql`
    insert into prices as p (asset_id, good_value, good_source, good_quoted_at, suspect_value, suspect_source, suspect_quoted_at,
      checked_at, attempts)
    select i.* from unnest(
      ${[...prices.keys()]}::uuid[], ${quoteColumns(good)}, ${quoteColumns(suspect)},
      ${entries.map(({ checkedAt }) => checkedAt?.toISOString() ?? null)}::timestamptz[],
      ${entries.map(({ attempts }) => JSON.stringify(attempts.map(toStorableAttempt)))}::jsonb[]
    ) as i (asset_id, good_value, good_source, good_quoted_at, suspect_value, suspect_source, suspect_quoted_at, checked_at, attempts)
    order by i.asset_id
    on conflict (asset_id) do update set
      good_value = excluded.good_value, good_source = excluded.good_source, good_quoted_at = excluded.good_quoted_at,
      suspect_value = excluded.suspect_value, suspect_source = excluded.suspect_source,
      suspect_quoted_at = excluded.suspect_quoted_at,
      checked_at = excluded.checked_at, attempts = excluded.attempts
    where p.checked_at is null or p.checked_at <= excluded.checked_at`.execute(db);
}

function quoteColumns(quotes: readonly (Quote | null)[]): ReturnType<typeof sql> {
  return sql`
    ${quotes.map((quote) => (quote === null ? null : formatDecimal(quote.value)))}::numeric[],
    ${quotes.map((quote) => quote?.source ?? null)}::text[],
    ${quotes.map((quote) => quote?.quotedAt.toISOString() ?? null)}::timestamptz[]`;
}

function toStorableAttempt({ source, reason, detail }: PriceAttempt): PriceAttempt {
  return detail === undefined ? { source, reason } : { source, reason, detail: toStorableText(detail) ?? '' };
}

async function saveRates(db: Kysely<Schema>, rates: readonly FxRate[]): Promise<void> {
  const unique = [...new Map(rates.map((rate) => [rate.currency, rate])).values()];
  await sql`
    insert into fx_rates as f (currency, per_usd, source, quoted_at)
    select i.* from unnest(
      ${unique.map((rate) => rate.currency)}::text[],
      ${unique.map((rate) => rate.perUsd)}::numeric[],
      ${unique.map((rate) => rate.source)}::text[],
      ${unique.map((rate) => rate.quotedAt.toISOString())}::timestamptz[]
    ) as i (currency, per_usd, source, quoted_at)
    order by i.currency
    on conflict (currency) do update set
      per_usd = excluded.per_usd, source = excluded.source, quoted_at = excluded.quoted_at
    where f.quoted_at <= excluded.quoted_at`.execute(db);
}

function toMarketPrice(row: Selectable<Schema['prices']>): MarketPrice {
  return {
    lastGood: toQuote(row.good_value, row.good_source, row.good_quoted_at),
    suspect: toQuote(row.suspect_value, row.suspect_source, row.suspect_quoted_at),
    checkedAt: row.checked_at,
    attempts: row.attempts,
  };
}

function toQuote(value: string | null, source: string | null, quotedAt: Date | null): Quote | null {
  return value === null || source === null || quotedAt === null ? null : { value: new Decimal(value), source, quotedAt };
}
