import type { SnapshotAt, ValueAt } from '../../db/history/history-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { ChartInterval } from '../../domain/history/chart-intervals.ts';
import type { MissingSource, Snapshot } from '../../domain/history/snapshot.ts';

/** Why the value of a point is not known. */
export type HistoryReason =
  /** Nothing was written down in this time. */
  | 'no_snapshot'
  /** What it is about was not followed yet. */
  | 'not_followed'
  /** Followed, but nothing of it had been read yet. */
  | 'never_read'
  /** Nothing that was held had a price. */
  | 'unpriced'
  | 'fx_missing';

export type HistoryPoint = ChartInterval & {
  /** Of the snapshot that is told; null where there is none. */
  readonly at: Date | null;
  readonly usdValue: Decimal | null;
  /** In the currency asked for. */
  readonly value: Decimal | null;
  /** Null when there is a value. */
  readonly valueReason: HistoryReason | null;
  /** Whether every part of it was known, priced and written down in this very time. */
  readonly complete: boolean;
  /** Whether it tells a snapshot from before its time. */
  readonly carriedForward: boolean;
  /** Whether the interval is not over: later snapshots will still change the point. */
  readonly isUnfinished: boolean;
  /** Amounts above zero without a price or decimals. */
  readonly unpricedCount: number;
  readonly missing: readonly MissingSource[];
};

/** What the points of one series are made of. */
export type SeriesParts = {
  readonly intervals: readonly ChartInterval[];
  /** By the place of their interval; that of place -1 is from before the first one. */
  readonly snapshots: readonly SnapshotAt[];
  readonly values: readonly ValueAt[];
  /** Units of the currency for a dollar, by place. */
  readonly rates: ReadonlyMap<number, Decimal>;
  readonly fill: 'none' | 'previous';
  /** Whether the series depends on a source. */
  readonly covers: (source: MissingSource) => boolean;
  /** Whether what the series is about was followed at that moment, so that nothing held means zero. */
  readonly isFollowed: (at: Date) => boolean;
  readonly now: Date;
};

/** The place of the snapshot that is carried into the first interval. */
export const BEFORE = -1;

/** A point for each interval. */
export function toPoints(parts: SeriesParts): readonly HistoryPoint[] {
  const { intervals, fill, now } = parts;
  const tell = createTelling(parts);
  let last = fill === 'previous' ? tell(BEFORE) : undefined;
  return intervals.map((interval, place) => {
    const isUnfinished = interval.end > now;
    const told = tell(place);
    if (told !== undefined) {
      last = fill === 'previous' ? told : undefined;
      return { ...interval, ...told, isUnfinished };
    }
    if (last === undefined) return { ...interval, ...NOTHING, isUnfinished };
    return { ...interval, ...last, complete: false, carriedForward: true, isUnfinished };
  });
}

type Told = Omit<HistoryPoint, keyof ChartInterval | 'isUnfinished'>;

const NOTHING: Told = {
  at: null,
  usdValue: null,
  value: null,
  valueReason: 'no_snapshot',
  complete: false,
  carriedForward: false,
  unpricedCount: 0,
  missing: [],
};

/** What is told of the snapshot at a place; undefined where there is none. */
function createTelling({ snapshots, values, rates, covers, isFollowed }: SeriesParts): (place: number) => Told | undefined {
  const snapshotAt = new Map(snapshots.map(({ place, snapshot }) => [place, snapshot]));
  const valueAt = new Map(values.map((value) => [value.place, value]));
  return (place) => {
    const snapshot = snapshotAt.get(place);
    if (snapshot === undefined) return undefined;
    const missing = snapshot.missing.filter(covers);
    const unpricedCount = valueAt.get(place)?.unpricedCount ?? 0;
    const worth = judgeWorth(valueAt.get(place), { snapshot, missing, isFollowed });
    const rate = rates.get(place);
    const usdValue = worth instanceof Decimal ? worth : null;
    const value = usdValue === null || rate === undefined ? null : usdValue.times(rate);
    return {
      at: snapshot.at,
      usdValue,
      value,
      valueReason: worth instanceof Decimal ? (rate === undefined ? 'fx_missing' : null) : worth,
      complete: value !== null && unpricedCount === 0 && missing.length === 0,
      carriedForward: false,
      unpricedCount,
      missing,
    };
  };
}

type Circumstances = Pick<SeriesParts, 'isFollowed'> & {
  readonly snapshot: Snapshot;
  readonly missing: readonly MissingSource[];
};

/** A sum of nothing is zero only where it is known that nothing was held. */
function judgeWorth(found: ValueAt | undefined, { snapshot, missing, isFollowed }: Circumstances): Decimal | HistoryReason {
  if (found !== undefined && !found.usdValue.isZero()) return found.usdValue;
  if (found !== undefined && found.unpricedCount > 0) return 'unpriced';
  if (missing.some(({ observedAt }) => observedAt === null)) return 'never_read';
  if (found === undefined && !isFollowed(snapshot.at)) return 'not_followed';
  return new Decimal(0);
}
