import { describe, expect, it } from 'vitest';
import { calendarDay } from '../../../src/domain/history/calendar-day.ts';

/** The day's ends and its hours. */
function show(date: string, timeZone: string): string | undefined {
  const day = calendarDay(date, timeZone);
  if (day === undefined) return undefined;
  const hours = (day.end.getTime() - day.start.getTime()) / 3_600_000;
  return `${day.start.toISOString()} + ${hours}`;
}

describe('calendarDay', () => {
  it.each([
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z + 23'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z + 25'],
    ['2026-03-08', 'America/New_York', '2026-03-08T05:00:00.000Z + 23'],
    ['2026-11-01', 'America/New_York', '2026-11-01T04:00:00.000Z + 25'],
    ['2026-11-21', 'Asia/Kathmandu', '2026-11-20T18:15:00.000Z + 24'],
    ['2024-02-29', 'UTC', '2024-02-29T00:00:00.000Z + 24'],
    ['2011-12-29', 'Pacific/Apia', '2011-12-29T10:00:00.000Z + 24'],
    ['2011-12-31', 'Pacific/Apia', '2011-12-30T10:00:00.000Z + 24'],
  ])('knows the ends of %s in %s', (date, timeZone, expected) => {
    expect(show(date, timeZone)).toBe(expected);
  });

  it.each([
    ['2011-12-30', 'Pacific/Apia'],
    ['2026-02-29', 'UTC'],
    ['2026-13-01', 'UTC'],
    ['yesterday', 'UTC'],
  ])('knows no %s in %s', (date, timeZone) => {
    expect(show(date, timeZone)).toBeUndefined();
  });
});
