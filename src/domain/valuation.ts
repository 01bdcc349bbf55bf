import { toDecimalAmount } from './amount.ts';
import type { Asset, AssetSettings } from './asset.ts';
import type { Decimal } from './decimal.ts';
import { Decimal as Exact } from './decimal.ts';
import type { Holding, SourceState } from './holding.ts';
import type { ValuedHolding, ValueReason } from './portfolio.ts';
import type { Price } from './price.ts';
import type { SpamVerdict } from './spam.ts';

/** What is known about one asset when holdings of it are valued. */
export type AssetContext = { readonly settings: AssetSettings; readonly price: Price; readonly spam: SpamVerdict };

/** The source that a holding was read from, and the moment from which on a figure counts as fresh. */
export type Freshness = { readonly source: SourceState | undefined; readonly freshSince: Date };

/**
 * Values one holding: amount times price, exactly, in US dollars and in the currency that one dollar buys `perUsd` of. Any unknown
 * part makes the value null with a reason; an amount of zero is worth zero whatever the price.
 */
export function valueHolding(
  holding: Holding,
  context: AssetContext,
  options: Freshness & { readonly perUsd: Decimal | null },
): ValuedHolding {
  const amount = amountOf(holding, holding.asset);
  const { usdValue, reason } = usdValueOf(holding, amount, context.price);
  const value = usdValue === null || options.perUsd === null ? null : usdValue.times(options.perUsd);
  return {
    holding,
    status: statusOf(holding, options),
    amount,
    price: context.price,
    usdValue,
    value,
    valueReason: reason ?? (value === null ? 'fx_missing' : null),
    spam: context.spam,
  };
}

function amountOf(holding: Holding, asset: Asset): Decimal | null {
  if (holding.amountRaw === null) return null;
  if (asset.decimals === null) return holding.amountRaw === 0n ? new Exact(0) : null;
  return toDecimalAmount(holding.amountRaw, asset.decimals);
}

function usdValueOf(
  holding: Holding,
  amount: Decimal | null,
  price: Price,
): { usdValue: Decimal | null; reason: ValueReason | null } {
  if (holding.amountRaw === null) return { usdValue: null, reason: 'amount_unknown' };
  if (holding.amountRaw === 0n) return { usdValue: new Exact(0), reason: null };
  if (amount === null) return { usdValue: null, reason: 'decimals_unknown' };
  if (price.status === 'quarantined') return { usdValue: null, reason: 'price_quarantined' };
  if (price.value === null) return { usdValue: null, reason: 'price_missing' };
  return { usdValue: amount.times(price.value), reason: null };
}

function statusOf(holding: Holding, { source, freshSince }: Freshness): ValuedHolding['status'] {
  if (holding.amountRaw === null || holding.observedAt === null) return 'failed';
  if (holding.error !== null || source?.lastOutcome !== 'ok') return 'stale';
  // Read before the source's last good read: the asset was not part of that one.
  if (source.observedAt !== null && holding.observedAt < source.observedAt) return 'stale';
  return holding.observedAt < freshSince ? 'stale' : 'ok';
}
