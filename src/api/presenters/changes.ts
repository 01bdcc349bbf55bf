import { toDecimalAmount } from '../../domain/amount.ts';
import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import type { ChangePart, ChangeParts } from '../../domain/history/value-changes.ts';
import type { Changes, ChangesEnd, ChangesGroup } from '../../services/history/changes-service.ts';
import type { ChangesWire } from '../schemas/changes.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentDecimal, presentMoment } from './figures.ts';
import { presentMissing } from './snapshot.ts';

/** A long outage of many wallets must not make megabytes. */
const MAX_MISSING = 100;

/** Why a value changed. */
export function presentChanges({ currency, start, end, total, groups }: Changes, chains: ChainsBySlug): ChangesWire {
  return {
    currency,
    from: presentEnd(start),
    to: presentEnd(end),
    difference: total === null ? null : formatDecimal(total.end.minus(total.start)),
    parts: total === null ? null : presentParts(total.parts),
    reason: total === null ? 'fx_missing' : null,
    groups: groups.map((group) => presentGroup(group, chains)),
  };
}

function presentEnd({ asked, snapshot, missing, perUsd, value, chartValue, unpricedCount }: ChangesEnd): ChangesWire['from'] {
  return {
    asked_at: presentMoment(asked),
    snapshot_at: presentMoment(snapshot?.at ?? null),
    seconds_before: snapshot === null || asked === null ? null : Math.floor((asked.getTime() - snapshot.at.getTime()) / 1000),
    grade: snapshot?.grade ?? null,
    missing_count: missing.length,
    missing: missing.slice(0, MAX_MISSING).map(presentMissing),
    fx_rate: presentDecimal(perUsd),
    value: presentDecimal(value),
    chart_value: presentDecimal(chartValue),
    unpriced_count: unpricedCount,
  };
}

function presentGroup({ walletId, asset, start, end, parts }: ChangesGroup, chains: ChainsBySlug): ChangesWire['groups'][number] {
  return {
    asset: asset === null ? null : presentAsset(asset, chains),
    wallet_id: walletId,
    start_value: formatDecimal(start),
    end_value: formatDecimal(end),
    difference: formatDecimal(end.minus(start)),
    parts: presentParts(parts),
  };
}

function presentAsset(
  { asset, startRaw, endRaw }: NonNullable<ChangesGroup['asset']>,
  chains: ChainsBySlug,
): ChangesWire['groups'][number]['asset'] {
  const { decimals } = asset;
  const toBalance = (raw: bigint): string | null => (decimals === null ? null : formatDecimal(toDecimalAmount(raw, decimals)));
  return {
    ...presentAssetIdentity(asset, chains),
    asset_uuid: asset.id,
    start_balance: toBalance(startRaw),
    end_balance: toBalance(endRaw),
  };
}

const ZERO = new Decimal(0);

function presentParts(parts: ChangeParts): NonNullable<ChangesWire['parts']> {
  const tell = (part: ChangePart): string => formatDecimal(parts.get(part) ?? ZERO);
  return {
    price: tell('price'),
    quantity_in: tell('quantity_in'),
    quantity_out: tell('quantity_out'),
    internal: tell('internal'),
    trade: tell('trade'),
    income: tell('income'),
    fees: tell('fees'),
    fx: tell('fx'),
    newly_found: tell('newly_found'),
    wallet_added: tell('wallet_added'),
    wallet_removed: tell('wallet_removed'),
    source_failed: tell('source_failed'),
    source_back: tell('source_back'),
    price_lost: tell('price_lost'),
    price_found: tell('price_found'),
    spam_reclassified: tell('spam_reclassified'),
    unexplained: tell('unexplained'),
  };
}
