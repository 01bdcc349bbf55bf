import type { RateAt } from '../../db/history/changes-store.ts';
import type { ChartInterval } from '../../domain/history/chart-intervals.ts';
import type { Snapshot } from '../../domain/history/snapshot.ts';
import type { SourceKind } from '../../domain/holding.ts';
import type { StatedHolding } from './state-holdings.ts';

/** Something of a statement that is not of the day's close. */
export type Estimate = {
  readonly reason: 'no_snapshot_that_day' | 'source_missing' | 'price_old' | 'rate_old';
  readonly walletId: string | null;
  readonly chain: string | null;
  readonly kind: SourceKind | null;
  readonly assetId: string | null;
  /** Of the figure that stands in; null when it is not known, or nothing stands in. */
  readonly asOf: Date | null;
};

/** A price this much older than the close says what it was worth before. */
const PRICE_OLD_AFTER_MS = 3_600_000;
/** Rates of currencies are told once a day. */
const RATE_OLD_AFTER_MS = 24 * 3_600_000;

type Stated = {
  readonly day: ChartInterval;
  readonly snapshot: Snapshot;
  readonly holdings: readonly StatedHolding[];
  /** Null where none is used. */
  readonly rate: RateAt | null;
};

/** What was carried over from before, or is older than the close. The owner's own prices are his word on any day. */
export function listEstimates({ day, snapshot, holdings, rate }: Stated): readonly Estimate[] {
  const isOlder = (moment: Date | null, byMs: number): boolean => moment === null || day.end.getTime() - moment.getTime() > byMs;
  const priced = new Map(holdings.flatMap(({ asset, price, isManual }) => (price === null || isManual ? [] : [[asset, price]])));
  return [
    ...(snapshot.at < day.start ? [{ ...NOTHING, reason: 'no_snapshot_that_day' as const, asOf: snapshot.at }] : []),
    // Each price that is old is told by itself.
    ...snapshot.missing.flatMap(({ walletId, chain, kind, observedAt }) =>
      kind === 'prices' ? [] : [{ ...NOTHING, reason: 'source_missing' as const, walletId, chain, kind, asOf: observedAt }],
    ),
    ...[...priced].flatMap(([asset, { quotedAt }]) =>
      isOlder(quotedAt, PRICE_OLD_AFTER_MS)
        ? [{ ...NOTHING, reason: 'price_old' as const, chain: asset.chain, assetId: asset.id, asOf: quotedAt }]
        : [],
    ),
    ...(rate !== null && isOlder(rate.quotedAt, RATE_OLD_AFTER_MS)
      ? [{ ...NOTHING, reason: 'rate_old' as const, asOf: rate.quotedAt }]
      : []),
  ];
}

const NOTHING = { walletId: null, chain: null, kind: null, assetId: null } as const;
