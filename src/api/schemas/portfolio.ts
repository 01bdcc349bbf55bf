import { z } from 'zod';
import {
  assetFlags,
  assetIdentity,
  block,
  chainSlug,
  decimalInput,
  decimalString,
  includeQuery,
  price,
  rawAmount,
  sourceError,
  spam,
  timestamp,
  uuid,
} from './common.ts';

const valueFilters = {
  chain: z.array(chainSlug).max(50).optional().meta({ description: 'Only these chains: repeat it, or separate with commas.' }),
  min_value: decimalInput.optional().meta({
    description: 'Leaves out of the lists, never out of the totals, what is known to be worth less, in `currency`.',
  }),
  currency: z
    .string()
    .max(5)
    .regex(/^[A-Za-z]{3,5}$/, 'Give a currency code such as EUR.')
    .default('USD')
    .meta({ description: 'Currency of `value`. `usd_value` is always there.' }),
  include: includeQuery,
};

export const balancesQuery = z.strictObject(valueFilters);

export const portfolioQuery = z.strictObject({
  ...valueFilters,
  wallet_id: z.array(uuid).max(100).optional().meta({ description: 'Only these wallets: repeat it, or separate with commas.' }),
});

const ageSeconds = z.int().nullable().meta({ description: 'Age when the answer was made; count on from `generated_at`.' });
const usdValue = decimalString.nullable().meta({ description: 'In US dollars; null when unknown.' });
const value = decimalString.nullable().meta({ description: 'In `currency`; null when unknown.' });

export const sourceSchema = z
  .object({
    wallet_id: uuid.nullable(),
    chain: chainSlug.nullable(),
    kind: z.enum(['balances', 'stake', 'prices', 'fx']),
    status: z.enum(['ok', 'stale', 'failed', 'never', 'unsupported']),
    observed_at: timestamp.nullable().meta({ description: 'Of the last good read.' }),
    age_seconds: ageSeconds,
    block: block.nullable(),
    last_attempt_at: timestamp.nullable(),
    error: sourceError.nullable(),
    failed_assets: z
      .array(z.object({ asset_id: z.string(), error: sourceError }))
      .meta({ description: 'Assets in this source that failed on their own.' }),
  })
  .meta({ id: 'Source', description: 'How far one part of the answer can be trusted.' });

export const balanceSchema = z
  .object({
    wallet_id: uuid,
    ...assetIdentity,
    asset_uuid: uuid,
    position: z.enum(['wallet', 'stake']).meta({ description: '`stake`: staked natively, with this wallet as the withdrawer.' }),
    decimals: z.int().min(0).max(255).nullable(),
    balance_raw: rawAmount.nullable().meta({ description: 'Null when it was never read.' }),
    balance: decimalString.nullable().meta({ description: 'In whole tokens; null when the amount or its decimals are unknown.' }),
    frozen_raw: rawAmount.meta({ description: 'The part that the issuer has frozen.' }),
    ui: z
      .object({ amount: decimalString, multiplier: decimalString })
      .nullable()
      .meta({ description: 'How a scaled or interest-bearing mint wants its amount shown.' }),
    price,
    usd_value: usdValue,
    value,
    value_reason: z
      .enum(['amount_unknown', 'decimals_unknown', 'price_missing', 'price_quarantined', 'fx_missing'])
      .nullable()
      .meta({ description: 'Why a value is null.' }),
    status: z.enum(['ok', 'stale', 'failed']).meta({
      description: '`stale`: the last good amount, but old or not confirmed by the last attempt. `failed`: never read.',
    }),
    last_updated: timestamp.nullable(),
    age_seconds: ageSeconds,
    block: block.nullable(),
    flags: assetFlags,
    spam,
    error: sourceError.nullable(),
  })
  .meta({ id: 'Balance' });

const incompleteReasons = z.array(
  z.enum([
    'source_never_read',
    'source_failed',
    'source_stale',
    'source_unsupported',
    'asset_failed',
    'unpriced',
    'price_stale',
    'quarantined',
    'fx_missing',
  ]),
);

const complete = z.boolean().meta({ description: 'Whether every part is known, fresh and priced.' });

export const balancesSchema = z
  .object({
    wallet_id: uuid,
    currency: z.string(),
    generated_at: timestamp,
    complete,
    incomplete_reasons: incompleteReasons,
    balances: z.array(balanceSchema),
    sources: z.array(sourceSchema),
  })
  .meta({ id: 'Balances' });

const groupFigures = {
  usd_value: usdValue,
  value,
  share: decimalString.nullable().meta({ description: 'Part of the total, 0 to 1.' }),
  unpriced_count: z.int(),
  complete: z.boolean().meta({
    description: 'Whether every part of it is known, fresh and priced; of a chain or a wallet, its sources included.',
  }),
};

export const assetGroupSchema = z
  .object({
    ...assetIdentity,
    asset_uuid: uuid,
    balance_raw: rawAmount.nullable().meta({ description: 'Over all wallets; null when a part of it is unknown.' }),
    balance: decimalString.nullable(),
    price,
    spam,
    ...groupFigures,
    balances: z.array(balanceSchema),
  })
  .meta({ id: 'AssetGroup' });

const chainGroupSchema = z.object({ chain: chainSlug, ...groupFigures }).meta({ id: 'ChainGroup' });
const walletGroupSchema = z.object({ wallet_id: uuid, ...groupFigures }).meta({ id: 'WalletGroup' });

export const portfolioSchema = z
  .object({
    currency: z.string(),
    fx: z.object({
      currency: z.string(),
      rate: decimalString.nullable().meta({ description: 'Units of `currency` for one US dollar; null when unknown.' }),
      source: z.string().nullable(),
      quoted_at: timestamp.nullable(),
      status: z.enum(['ok', 'stale', 'missing']),
    }),
    generated_at: timestamp,
    as_of: timestamp.nullable().meta({ description: 'Moment of the oldest figure in the total.' }),
    total_value: value.meta({ description: 'Sum of what has a value, in `currency`; null when nothing has one.' }),
    total_usd_value: usdValue,
    complete,
    incomplete_reasons: incompleteReasons,
    unpriced_count: z.int(),
    quarantined_count: z.int(),
    spam_count: z.int(),
    stale_value_share: decimalString
      .nullable()
      .meta({ description: 'Part of the total, 0 to 1, whose amount or price is stale.' }),
    mixed_block_chains: z.array(chainSlug).meta({ description: 'Chains whose wallets were read at different blocks.' }),
    by_asset: z.array(assetGroupSchema),
    by_chain: z.array(chainGroupSchema),
    by_wallet: z.array(walletGroupSchema),
    sources: z.array(sourceSchema),
  })
  .meta({ id: 'Portfolio' });

export type SourceWire = z.output<typeof sourceSchema>;
export type BalanceWire = z.output<typeof balanceSchema>;
export type BalancesWire = z.output<typeof balancesSchema>;
export type PortfolioWire = z.output<typeof portfolioSchema>;
export type AssetGroupWire = z.output<typeof assetGroupSchema>;
