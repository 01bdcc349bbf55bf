import { Decimal } from '../../domain/decimal.ts';
import type { HistoryPointWire, HistoryWire } from '../schemas/history.ts';
import type { PercentHistoryWire } from '../schemas/percent.ts';
import { nameAsset, toIndex, toShare } from './percent-figures.ts';

type PercentPoint = PercentHistoryWire['points'][number];

/** The history as an index, and each asset's share of it. Series of wallets are left out. */
export function redactHistory(full: HistoryWire): PercentHistoryWire {
  return {
    redacted: true,
    currency: full.currency,
    interval: full.interval,
    tz: full.tz,
    generated_at: full.generated_at,
    points: redactPoints(full.points),
    series: full.series.flatMap(({ asset, points }) => {
      if (asset === null) return [];
      const shares = points.map(({ value }, position) => toShare(value, full.points[position]?.value ?? null));
      const told = redactPoints(points).map((point, position) => ({ ...point, share: shares[position] ?? null }));
      return [{ asset: nameAsset(asset), points: told }];
    }),
  };
}

function redactPoints(points: readonly HistoryPointWire[]): PercentPoint[] {
  const base = points.map(({ value }) => (value === null ? new Decimal(0) : new Decimal(value))).find((value) => value.gt(0));
  return points.map((point) => ({
    from: point.from,
    to: point.to,
    at: point.at,
    index: toIndex(point.value, base),
    value_reason: point.value_reason,
    complete: point.complete,
    carried_forward: point.carried_forward,
    unfinished: point.unfinished,
  }));
}
