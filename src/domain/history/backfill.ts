import type { SourceError } from '../holding.ts';

/** A day of UTC, `2026-11-21`. */
export type Day = string;

/** One chain's part. `pending`: not all days are done; `unsupported`: no endpoint keeps the past that is left, or the chain tells none. */
export type BackfillChain = {
  readonly chain: string;
  readonly status: 'pending' | 'ok' | 'failed' | 'unsupported';
  /** The earliest day that was read; null before the first. */
  readonly reached: Day | null;
  readonly error: SourceError | null;
};

/** The past of a wallet, from before it was followed: one point for the end of each day, read from the newest to the oldest. */
export type Backfill = {
  readonly walletId: string;
  readonly status: 'running' | 'finished' | 'cancelled';
  readonly from: Day;
  /** The last day that was not known before; null when none was missing. */
  readonly through: Day | null;
  readonly daysDone: number;
  readonly daysTotal: number;
  /** Assets held at the end of a day for which no source told a price of that day, over all days. */
  readonly unpricedCount: number;
  /** Why prices could not be asked for, if that is so. */
  readonly priceErrorCode: SourceError['code'] | null;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly chains: readonly BackfillChain[];
};

/** A price of a moment of the past that was quoted longer ago says little about it: what is traded seldom is quoted seldom. */
export const PAST_PRICE_MAX_AGE_SECONDS = 43_200;

const DAY_MS = 86_400_000;

/** The UTC day that a moment lies in. */
export function dayOf(moment: Date): Day {
  return moment.toISOString().slice(0, 10);
}

/** The last moment of a day, as snapshots count time. */
export function endOfDay(day: Day): Date {
  return new Date(Date.parse(day) + DAY_MS - 1);
}

/** The day so many days after another one, or before it. */
export function addDays(day: Day, count: number): Day {
  return dayOf(new Date(Date.parse(day) + count * DAY_MS));
}

/** How many days there are from one to another, both counted; 0 when the last is before the first. */
export function countDays(first: Day, last: Day): number {
  return Math.max(0, (Date.parse(last) - Date.parse(first)) / DAY_MS + 1);
}
