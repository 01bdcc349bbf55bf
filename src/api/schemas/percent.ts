import { z } from 'zod';
import { CHART_STEPS } from '../../domain/history/chart-intervals.ts';
import { assetIdentity, chainSlug, decimalString, timestamp, uuid } from './common.ts';
import { historyQuery, historySchema } from './history.ts';
import { performanceQuery, performanceSchema } from './performance.ts';
import { portfolioQuery, portfolioSchema, sourceSchema } from './portfolio.ts';

/** What all answers to keys with `read:percent` say of themselves; the full answers have no such field. */
const redacted = z.literal(true).meta({ description: 'Told to a key with `read:percent`: shares and returns only.' });

const share = decimalString
  .nullable()
  .meta({ description: 'Part of the whole, 0 to 1, to four decimals; null when unknown.', example: '0.2512' });

/** An asset without its address, which its CAIP-19 id holds too. */
const { chain, token_symbol, token_name } = assetIdentity;
const namedAsset = { chain, token_symbol, token_name, asset_uuid: uuid };

const { complete } = portfolioSchema.shape;

/** Without what tells amounts (`min_value`), and what goes by the ids of wallets. */
export const percentPortfolioQuery = portfolioQuery.pick({ chain: true, currency: true });

export const percentPortfolioSchema = z
  .object({
    redacted,
    generated_at: timestamp,
    as_of: portfolioSchema.shape.as_of,
    complete,
    incomplete_reasons: portfolioSchema.shape.incomplete_reasons,
    stale_value_share: share.meta({ description: 'Part of the whole whose amount or price is stale.' }),
    by_asset: z.array(z.object({ ...namedAsset, share, complete })),
    by_chain: z.array(z.object({ chain, share, complete })),
    sources: z
      .array(z.object(sourceSchema.pick({ chain: true, kind: true, status: true, observed_at: true, age_seconds: true }).shape))
      .meta({ description: 'For each chain and kind the worst state of all wallets, and the oldest read.' }),
  })
  .meta({ id: 'PercentPortfolio' });

export const percentHistoryQuery = historyQuery
  .pick({ from: true, to: true, interval: true, tz: true, currency: true, chain: true, asset_id: true, fill: true })
  .extend({ series: z.enum(['total', 'asset']).default('total') });

const index = decimalString.nullable().meta({
  description: 'The value for 100 at the first point with one, to two decimals and five digits; null when unknown.',
  example: '104.25',
});

const percentPoint = historySchema.shape.points.element
  .pick({
    from: true,
    to: true,
    at: true,
    value_reason: true,
    complete: true,
    carried_forward: true,
    unfinished: true,
  })
  .extend({ index })
  .meta({ id: 'PercentHistoryPoint' });

export const percentHistorySchema = z
  .object({
    redacted,
    currency: z.string(),
    interval: z.enum(CHART_STEPS),
    tz: z.string(),
    generated_at: timestamp,
    points: z
      .array(percentPoint)
      .meta({ description: 'All that was asked for, together. What came in and went counts as well.' }),
    series: z
      .array(z.object({ asset: z.object(namedAsset), points: z.array(percentPoint.extend({ share })) }))
      .meta({ description: 'Each asset, worth the most first, with its share of all; none unless asked for.' }),
  })
  .meta({ id: 'PercentHistory' });

/** Codes alone: an asset is named by its address, or would be found by one. */
const BASKET = /^(none|[A-Za-z]{3,5}:[\d.]{1,14}(,[A-Za-z]{3,5}:[\d.]{1,14}){0,9})$/;

export const percentPerformanceQuery = performanceQuery.extend({
  benchmark: z.string().max(200).regex(BASKET, 'Give codes of currencies and coins only.').default('btc:50,eth:50'),
});

const full = performanceSchema.shape;

export const percentPerformanceSchema = z
  .object({
    redacted,
    currency: full.currency,
    period: full.period,
    tz: full.tz,
    from: full.from,
    starts_at: full.starts_at,
    ends_at: full.ends_at,
    days: full.days,
    complete: full.complete,
    incomplete_reasons: full.incomplete_reasons,
    snapshots: full.snapshots,
    returns: full.returns,
    risk: full.risk,
    allocation: z.object({
      by_asset: z.array(z.object({ ...namedAsset, share })),
      by_chain: z.array(z.object({ chain: chainSlug, share })),
      concentration: full.allocation.shape.concentration,
    }),
    benchmark: full.benchmark
      .unwrap()
      .omit({ end_value: true, value_difference: true })
      .meta({ id: 'PercentBenchmark' })
      .nullable(),
  })
  .meta({ id: 'PercentPerformance', description: 'Rates and shares to four decimals and five digits.' });

export type PercentPortfolioWire = z.output<typeof percentPortfolioSchema>;
export type PercentHistoryWire = z.output<typeof percentHistorySchema>;
export type PercentPerformanceWire = z.output<typeof percentPerformanceSchema>;
