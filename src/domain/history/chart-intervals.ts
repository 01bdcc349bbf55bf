import { Temporal } from 'temporal-polyfill';

export const CHART_STEPS = ['5m', '1h', '1d', '1w', '1M'] as const;
export type ChartStep = (typeof CHART_STEPS)[number];

/** A stretch of a chart: `start` is part of it, `end` is not. */
export type ChartInterval = { readonly start: Date; readonly end: Date };

/** Whether the zone is one that the IANA database knows: `Europe/Berlin`, `UTC`. */
export function isTimeZone(zone: string): boolean {
  try {
    Temporal.Instant.fromEpochMilliseconds(0).toZonedDateTimeISO(zone);
    return !/^[+-]/.test(zone);
  } catch {
    return false;
  }
}

/** The first moment of a date such as `2026-11-21` in the zone; undefined where there is no such date. */
export function startOfDate(date: string, timeZone: string): Date | undefined {
  try {
    return new Date(Temporal.PlainDate.from(date, { overflow: 'reject' }).toZonedDateTime(timeZone).epochMilliseconds);
  } catch {
    return undefined;
  }
}

/**
 * The intervals that touch the time from `from` (part of it) to `to` (not part of it), at most `limit` of them; undefined when there would be more. Days, weeks (from Monday) and months begin at midnight of the zone, so that a day may have 23
 * or 25 hours, and one that a zone has skipped is not there; five minutes and hours are counted in UTC.
 */
export function chartIntervals(
  { from, to }: { readonly from: Date; readonly to: Date },
  { step, timeZone, limit }: { readonly step: ChartStep; readonly timeZone: string; readonly limit: number },
): readonly ChartInterval[] | undefined {
  const intervals: ChartInterval[] = [];
  const boundary = createBoundary(step, timeZone, from);
  let start = boundary(0);
  for (let count = 1; start < to.getTime(); count += 1) {
    const end = boundary(count);
    if (end > start) intervals.push({ start: new Date(start), end: new Date(end) });
    if (intervals.length > limit) return undefined;
    start = end;
  }
  return intervals;
}

const MINUTE_MS = 60_000;
const FIXED_MS = { '5m': 5 * MINUTE_MS, '1h': 60 * MINUTE_MS } as const;

/** The boundary at or before `from` for 0, and those after it, in milliseconds since 1970. */
function createBoundary(step: ChartStep, timeZone: string, from: Date): (count: number) => number {
  if (step === '5m' || step === '1h') {
    const length = FIXED_MS[step];
    const first = Math.floor(from.getTime() / length) * length;
    return (count) => first + count * length;
  }
  const day = Temporal.Instant.fromEpochMilliseconds(from.getTime()).toZonedDateTimeISO(timeZone).toPlainDate();
  const first = firstOf(step, day);
  // From the first date each time: a month after January 31 must not shift those after it.
  return (count) => first.add(lengthOf(step, count)).toZonedDateTime(timeZone).epochMilliseconds;
}

function firstOf(step: '1d' | '1w' | '1M', day: Temporal.PlainDate): Temporal.PlainDate {
  if (step === '1w') return day.subtract({ days: day.dayOfWeek - 1 });
  return step === '1M' ? day.with({ day: 1 }) : day;
}

function lengthOf(step: '1d' | '1w' | '1M', count: number): { days?: number; weeks?: number; months?: number } {
  if (step === '1d') return { days: count };
  return step === '1w' ? { weeks: count } : { months: count };
}
