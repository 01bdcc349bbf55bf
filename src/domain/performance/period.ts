import { Temporal } from 'temporal-polyfill';

export const PERFORMANCE_PERIODS = ['1d', '1w', '1M', '3M', 'ytd', '1y', 'all'] as const;

/** A stretch of time counted back from its end: days, weeks, months and years by the calendar; `ytd`: since the year began. */
export type PerformancePeriod = (typeof PERFORMANCE_PERIODS)[number];

const LENGTHS = {
  '1d': { days: 1 },
  '1w': { weeks: 1 },
  '1M': { months: 1 },
  '3M': { months: 3 },
  '1y': { years: 1 },
} as const;

/** Where the period that ends at `end` begins, by the calendar of the zone; null: with the first there is. */
export function periodStart(period: PerformancePeriod, end: Date, timeZone: string): Date | null {
  if (period === 'all') return null;
  const last = Temporal.Instant.fromEpochMilliseconds(end.getTime()).toZonedDateTimeISO(timeZone);
  const start = period === 'ytd' ? last.with({ month: 1, day: 1 }).startOfDay() : last.subtract(LENGTHS[period]);
  return new Date(start.epochMilliseconds);
}
