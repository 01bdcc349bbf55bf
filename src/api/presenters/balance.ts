import type { ValuedHolding } from '../../domain/portfolio.ts';
import { ageSeconds } from '../../domain/source-report.ts';
import type { BalanceWire } from '../schemas/portfolio.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentBlock, presentDecimal, presentError, presentMoment, presentPrice, presentSpam } from './figures.ts';

/** One holding with its price, value, age and origin. */
export function presentBalance(
  valued: ValuedHolding,
  { chains, now }: { readonly chains: ChainsBySlug; readonly now: Date },
): BalanceWire {
  const { holding } = valued;
  const { asset, ui } = holding;
  return {
    wallet_id: holding.walletId,
    ...presentAssetIdentity(asset, chains),
    asset_uuid: asset.id,
    position: holding.position,
    decimals: asset.decimals,
    balance_raw: holding.amountRaw?.toString() ?? null,
    balance: presentDecimal(valued.amount),
    frozen_raw: holding.frozenRaw.toString(),
    ui: ui === null ? null : { amount: ui.amount.toFixed(), multiplier: ui.multiplier.toFixed() },
    price: presentPrice(valued.price),
    usd_value: presentDecimal(valued.usdValue),
    value: presentDecimal(valued.value),
    value_reason: valued.valueReason,
    status: valued.status,
    last_updated: presentMoment(holding.observedAt),
    age_seconds: ageSeconds(holding.observedAt, now),
    block: presentBlock(holding.block),
    flags: [...asset.flags],
    spam: presentSpam(valued.spam),
    error: presentError(holding.error),
  };
}
