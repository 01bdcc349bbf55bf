import type { HistoryPoint } from '../../services/history/history-points.ts';
import type { History } from '../../services/history/history-service.ts';
import type { CsvCell, CsvForm } from '../csv.ts';
import type { HistoryPointWire, HistoryWire } from '../schemas/history.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentDecimal, presentMoment } from './figures.ts';
import { presentMissing } from './snapshot.ts';

/** Entries of `missing` in one answer, and at one point: a long outage of many wallets must not make megabytes. */
const MAX_MISSING = 20_000;
const MAX_MISSING_PER_POINT = 100;

export function presentHistory(history: History, chains: ChainsBySlug): HistoryWire {
  const count = history.points.length * (1 + history.series.length);
  const limit = Math.max(1, Math.min(MAX_MISSING_PER_POINT, Math.floor(MAX_MISSING / Math.max(1, count))));
  const present = (points: readonly HistoryPoint[]): HistoryPointWire[] => points.map((point) => presentPoint(point, limit));
  return {
    currency: history.currency,
    interval: history.step,
    tz: history.timeZone,
    generated_at: history.generatedAt.toISOString(),
    excluded_count: history.excludedCount,
    points: present(history.points),
    series: history.series.map(({ walletId, asset, points }) => ({
      wallet_id: walletId,
      asset: asset === null ? null : { ...presentAssetIdentity(asset, chains), asset_uuid: asset.id },
      points: present(points),
    })),
  };
}

function presentPoint(point: HistoryPoint, missingLimit: number): HistoryPointWire {
  return {
    from: point.start.toISOString(),
    to: point.end.toISOString(),
    at: presentMoment(point.at),
    value: presentDecimal(point.value),
    usd_value: presentDecimal(point.usdValue),
    value_reason: point.valueReason,
    complete: point.complete,
    carried_forward: point.carriedForward,
    unfinished: point.isUnfinished,
    unpriced_count: point.unpricedCount,
    missing_count: point.missing.length,
    missing: point.missing.slice(0, missingLimit).map(presentMissing),
  };
}

/** A line for each point: of the total, then of each series. */
export const historyCsv: CsvForm<HistoryWire> = {
  columns: [
    'series',
    'wallet_id',
    'asset_id',
    'token_symbol',
    'from',
    'to',
    'at',
    'currency',
    'value',
    'usd_value',
    'value_reason',
    'complete',
    'carried_forward',
    'unfinished',
    'unpriced_count',
    'missing_count',
  ],
  *rows({ currency, points, series }) {
    for (const point of points) yield ['total', null, null, null, ...toCells(point, currency)];
    for (const { wallet_id: walletId, asset, points: own } of series) {
      const name = [asset === null ? 'wallet' : 'asset', walletId, asset?.asset_id ?? null, asset?.token_symbol ?? null];
      for (const point of own) yield [...name, ...toCells(point, currency)];
    }
  },
};

function toCells(point: HistoryPointWire, currency: string): readonly CsvCell[] {
  return [
    point.from,
    point.to,
    point.at,
    currency,
    point.value,
    point.usd_value,
    point.value_reason,
    point.complete,
    point.carried_forward,
    point.unfinished,
    point.unpriced_count,
    point.missing_count,
  ];
}
