import { z } from 'zod';
import { CHART_STEPS } from '../../domain/history/chart-intervals.ts';
import { assetIdentity, decimalString, timestamp, uuid } from './common.ts';
import { currencyInput, momentInput, pastScope, timeZoneInput } from './past-query.ts';
import { missingSource } from './snapshots.ts';

export const historyQuery = z.strictObject({
  from: momentInput.optional().meta({ description: 'Part of the chart. By default as long before `to` as suits the interval.' }),
  to: momentInput.optional().meta({ description: 'Not part of the chart. By default, and at most, now.' }),
  interval: z
    .enum(CHART_STEPS)
    .optional()
    .meta({ description: 'By default the finest that makes about 400 points. Five minutes and hours are those of UTC.' }),
  tz: timeZoneInput,
  currency: currencyInput.meta({ description: 'Currency of `value`. `usd_value` is always there.' }),
  ...pastScope,
  fill: z.enum(['none', 'previous']).default('none').meta({
    description: '`previous`: an interval of which nothing was written down tells the one before, marked `carried_forward`.',
  }),
  series: z
    .enum(['total', 'asset', 'wallet'])
    .default('total')
    .meta({ description: 'Whether `series` tells each asset or each wallet as well.' }),
});

const historyPoint = z
  .object({
    from: timestamp.meta({ description: 'Where the interval begins.' }),
    to: timestamp.meta({ description: 'Where it ends: not part of it.' }),
    at: timestamp.nullable().meta({ description: 'When what is told was written down: the last time in the interval.' }),
    value: decimalString.nullable().meta({ description: 'In `currency`; null when unknown.' }),
    usd_value: decimalString.nullable(),
    value_reason: z
      .enum(['no_snapshot', 'not_followed', 'never_read', 'unpriced', 'fx_missing'])
      .nullable()
      .meta({ description: 'Why a value is null.' }),
    complete: z.boolean().meta({ description: 'Whether every part was known, priced, and written down in this very interval.' }),
    carried_forward: z.boolean().meta({ description: 'Whether this is what was written down before the interval.' }),
    unfinished: z.boolean().meta({ description: 'Whether the interval is not over yet.' }),
    unpriced_count: z.int().meta({ description: 'Amounts without a price, which no value holds.' }),
    missing_count: z.int(),
    missing: z
      .array(missingSource)
      .meta({ description: 'The sources that were missing; the first ones where there are very many.' }),
  })
  .meta({ id: 'HistoryPoint' });

const historySeries = z
  .object({
    wallet_id: uuid.nullable().meta({ description: 'Null in a series of an asset.' }),
    asset: z
      .object({ ...assetIdentity, asset_uuid: uuid })
      .nullable()
      .meta({ description: 'Null in a series of a wallet.' }),
    points: z.array(historyPoint),
  })
  .meta({ id: 'HistorySeries' });

export const historySchema = z
  .object({
    currency: z.string(),
    interval: z.enum(CHART_STEPS),
    tz: z.string(),
    generated_at: timestamp,
    excluded_count: z
      .int()
      .meta({ description: 'Assets that are in no figure, since they count as spam or are held back today.' }),
    points: z.array(historyPoint).meta({ description: 'All that was asked for, together.' }),
    series: z.array(historySeries).meta({ description: 'Each asset or wallet, worth the most first; none unless asked for.' }),
  })
  .meta({ id: 'History' });

export type HistoryWire = z.output<typeof historySchema>;
export type HistoryPointWire = z.output<typeof historyPoint>;
