import { z } from 'zod';
import { assetIdentity, block, chainSlug, decimalString, rawAmount, timestamp, uuid } from './common.ts';
import { currencyInput, timeZoneInput } from './past-query.ts';
import { snapshotGrade } from './snapshots.ts';

export const statementQuery = z.strictObject({
  date: z.iso.date('Give a date such as 2026-11-20.').meta({ description: 'A day that is over in `tz`.', example: '2026-11-20' }),
  tz: timeZoneInput.meta({ description: 'IANA time zone whose day is meant.' }),
  currency: currencyInput.meta({ description: 'Currency of `value`. `usd_value` is always there.' }),
});

const value = decimalString.nullable().meta({ description: 'In `currency`; null when unknown.' });
const beforeClose = z.int().min(0).nullable().meta({ description: 'How long before the close that was.' });

const totals = {
  usd_value: decimalString.meta({ description: 'Sum of what has a value, in US dollars.' }),
  value: value.meta({ description: 'Sum of what has a value, in `currency`; null when its rate is unknown.' }),
  unpriced_count: z.int().min(0).meta({ description: 'Holdings that the sums leave out.' }),
};

const walletName = {
  wallet_id: uuid,
  address: z
    .string()
    .nullable()
    .meta({ description: 'Null for a wallet that is followed no more: only its id and what it held are kept.' }),
  label: z.string().nullable(),
};

const statedHolding = z
  .object({
    ...walletName,
    ...assetIdentity,
    asset_uuid: uuid,
    position: z.enum(['wallet', 'stake']),
    balance_raw: rawAmount,
    balance: decimalString.nullable().meta({ description: 'In whole tokens; null when its decimals are unknown.' }),
    block: block.nullable().meta({ description: 'The block at which this amount was first read. It had not changed since.' }),
    price: z.object({
      value: decimalString.nullable().meta({ description: 'US dollars for one whole token; null when none was known.' }),
      source: z.string().nullable().meta({ description: '`manual`: your own price of today. Null when it was not kept.' }),
      quoted_at: timestamp.nullable(),
    }),
    usd_value: decimalString.nullable(),
    value,
    value_reason: z
      .enum(['decimals_unknown', 'price_missing', 'fx_missing'])
      .nullable()
      .meta({ description: 'Why a value is null.' }),
  })
  .meta({ id: 'StatementHolding' });

const estimate = z
  .object({
    reason: z.enum(['no_snapshot_that_day', 'source_missing', 'price_old', 'rate_old']).meta({
      description:
        '`no_snapshot_that_day`: all of it is from the last snapshot before the day. `source_missing`: amounts of a source that could not be read, carried from its last good read. `price_old`: quoted more than an hour before the close. `rate_old`: a currency rate quoted more than a day before the close.',
    }),
    wallet_id: uuid.nullable(),
    chain: chainSlug.nullable(),
    kind: z.enum(['balances', 'stake']).nullable(),
    asset_uuid: uuid.nullable(),
    as_of: timestamp
      .nullable()
      .meta({ description: 'Of the figure that stands in; null when that is unknown, or nothing stands in.' }),
    seconds_before_close: beforeClose,
  })
  .meta({ id: 'StatementEstimate' });

export const statementSchema = z
  .object({
    date: z.iso.date(),
    tz: z.string(),
    currency: z.string(),
    closed_at: timestamp.meta({ description: 'Where the day ends: not part of it.' }),
    snapshot: z.object({
      at: timestamp.meta({ description: 'The last one before the close. All figures are of this moment.' }),
      grade: snapshotGrade,
      seconds_before_close: z.int().min(0),
    }),
    fx: z.object({
      rate: decimalString.nullable().meta({ description: 'Units of `currency` for one US dollar; null when unknown.' }),
      source: z.string().nullable(),
      quoted_at: timestamp.nullable(),
    }),
    ...totals,
    complete: z.boolean().meta({ description: 'Whether nothing is estimated, unpriced or without a rate.' }),
    excluded_count: z
      .int()
      .min(0)
      .meta({ description: 'Assets that are left out, since they count as spam or are held back today.' }),
    estimated: z.array(estimate).meta({ description: 'What is not of the close itself.' }),
    holdings: z.array(statedHolding),
    by_asset: z.array(z.object({ ...assetIdentity, asset_uuid: uuid, balance: decimalString.nullable(), ...totals })),
    by_chain: z.array(z.object({ chain: chainSlug, ...totals })),
    by_wallet: z.array(z.object({ ...walletName, ...totals })),
  })
  .meta({ id: 'Statement' });

export type StatementWire = z.output<typeof statementSchema>;
