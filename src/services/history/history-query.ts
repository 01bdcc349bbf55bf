import type { Resolution } from '../../db/history/history-store.ts';
import { AppError } from '../../domain/errors.ts';
import { type ChartInterval, type ChartStep, chartIntervals, isTimeZone } from '../../domain/history/chart-intervals.ts';

/** What a chart is to show, as it was asked for. */
export type HistoryQuery = {
  /** Part of the time that is shown; null: as long before `to` as suits the step. */
  readonly from: Date | null;
  /** Not part of it; null: now. */
  readonly to: Date | null;
  /** Null: one that gives a chart a good number of points. */
  readonly step: ChartStep | null;
  readonly timeZone: string;
  /** Upper-case code. */
  readonly currency: string;
  readonly walletIds: readonly string[] | null;
  readonly chains: readonly string[] | null;
  /** UUIDs or CAIP-19 ids. */
  readonly assetIds: readonly string[] | null;
  /** Whether each asset or wallet is told as well. */
  readonly series: 'total' | 'asset' | 'wallet';
  /** `previous`: an interval without a snapshot tells the one before it, and says so. */
  readonly fill: 'none' | 'previous';
};

/** The same with nothing left open. */
export type ChartPlan = { readonly step: ChartStep; readonly intervals: readonly ChartInterval[] };

/** Most points of one series. */
const MAX_POINTS = 2_000;

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const DEFAULT_STEP = '1d';
const DEFAULT_SPAN_MS: Readonly<Record<ChartStep, number>> = {
  '5m': DAY_MS,
  '1h': 7 * DAY_MS,
  '1d': 30 * DAY_MS,
  '1w': 52 * 7 * DAY_MS,
  '1M': 5 * 365 * DAY_MS,
};
/** The longest time that each step is chosen for unasked: about 400 points. */
const CHOSEN_UP_TO_MS: readonly (readonly [ChartStep, number])[] = [
  ['5m', DAY_MS],
  ['1h', 16 * DAY_MS],
  ['1d', 400 * DAY_MS],
  ['1w', 2_800 * DAY_MS],
];
/** Nothing was written down before, and databases cannot count much further back than this. */
const EARLIEST_MS = 0;

/** Which intervals a chart has. Nothing of the future is one. Throws invalid_request. */
export function planChart(query: HistoryQuery, now: Date): ChartPlan {
  const { timeZone } = query;
  if (!isTimeZone(timeZone)) throw refuse('tz', 'This is no time zone of the IANA database.');
  // The moment of now itself is to be seen.
  const end = new Date(Math.min(query.to?.getTime() ?? Number.POSITIVE_INFINITY, now.getTime() + 1));
  const from = query.from ?? new Date(end.getTime() - DEFAULT_SPAN_MS[query.step ?? DEFAULT_STEP]);
  if (from.getTime() < EARLIEST_MS) throw refuse('from', 'Give a time from 1970 on.');
  if (from > now) throw refuse('from', 'This time is yet to come.');
  if (from >= end) throw refuse('from', 'The time must begin before it ends.');
  const step = query.step ?? chooseStep(end.getTime() - from.getTime());
  const intervals = chartIntervals({ from, to: end }, { step, timeZone, limit: MAX_POINTS });
  if (intervals === undefined) {
    throw refuse('interval', `This would be more than ${MAX_POINTS} points: ask for less time or for longer intervals.`);
  }
  return { step, intervals };
}

function chooseStep(spanMs: number): ChartStep {
  return CHOSEN_UP_TO_MS.find(([, upToMs]) => spanMs <= upToMs)?.[0] ?? '1M';
}

/** Whether a filter lets something through. No filter takes everything, and what belongs to nothing in particular belongs to all. */
export function isWanted(wanted: readonly string[] | null, one: string | null): boolean {
  return wanted === null || one === null || wanted.includes(one);
}

/** A fault in the query's parameter of this name. */
export function refuse(parameter: string, message: string): AppError {
  return new AppError('invalid_request', message, {
    issues: [{ pointer: `/query/${parameter}`, code: 'invalid_value', message }],
  });
}

type Kept = { readonly rawDays: number; readonly hourlyDays: number };

/**
 * The coarsest snapshots that still tell the last one of an interval. Days of most zones do not end with those of UTC, and in some not even with an hour;
 * what is thinned out by then is told as well as what is left allows.
 */
export function chooseResolution(
  { start, end }: ChartInterval,
  { now, kept }: { readonly now: Date; readonly kept: Kept },
): Resolution {
  const isWhole = (unitMs: number): boolean => start.getTime() % unitMs === 0 && end.getTime() % unitMs === 0;
  const isKept = (days: number): boolean => end.getTime() > now.getTime() - days * DAY_MS;
  if (isWhole(DAY_MS)) return 'day';
  if (!isWhole(HOUR_MS) && isKept(kept.rawDays)) return 'raw';
  return isKept(kept.hourlyDays) ? 'hour' : 'day';
}
