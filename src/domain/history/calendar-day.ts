import { Temporal } from 'temporal-polyfill';
import type { ChartInterval } from './chart-intervals.ts';

/**
 * The day of a date such as `2026-11-21` in a zone that is known, from its midnight to the next one; it may have 23 or 25 hours. Undefined where there is no such date, or the zone has skipped it.
 */
export function calendarDay(date: string, timeZone: string): ChartInterval | undefined {
  const day = parseDate(date);
  if (day === undefined) return undefined;
  const [start, end] = [day, day.add({ days: 1 })].map(
    (midnight) => new Date(midnight.toZonedDateTime(timeZone).epochMilliseconds),
  );
  return start !== undefined && end !== undefined && start < end ? { start, end } : undefined;
}

function parseDate(date: string): Temporal.PlainDate | undefined {
  try {
    return Temporal.PlainDate.from(date, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}
