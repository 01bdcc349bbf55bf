import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHART_STEPS, type ChartStep, chartIntervals, isTimeZone } from '../../../src/domain/history/chart-intervals.ts';

const HOUR_MS = 3_600_000;
const LIMIT = 2000;

function intervals(step: ChartStep, timeZone: string, from: string, to: string): readonly [string, number][] {
  const found = chartIntervals({ from: new Date(from), to: new Date(to) }, { step, timeZone, limit: LIMIT }) ?? [];
  return found.map(({ start, end }) => [start.toISOString(), (end.getTime() - start.getTime()) / HOUR_MS]);
}

describe('days of a zone', () => {
  it.each([
    ['Europe/Berlin', '2026-03-28T23:00Z', '2026-03-29T22:00Z', [['2026-03-28T23:00:00.000Z', 23]]],
    ['Europe/Berlin', '2026-10-24T22:00Z', '2026-10-25T23:00Z', [['2026-10-24T22:00:00.000Z', 25]]],
    ['America/New_York', '2026-11-01T04:00Z', '2026-11-02T05:00Z', [['2026-11-01T04:00:00.000Z', 25]]],
    ['Asia/Kathmandu', '2026-11-20T18:15Z', '2026-11-21T18:15Z', [['2026-11-20T18:15:00.000Z', 24]]],
    ['UTC', '2028-02-29T12:00Z', '2028-03-01T00:00Z', [['2028-02-29T00:00:00.000Z', 24]]],
  ])('%s from %s to %s', (zone, from, to, expected) => {
    expect(intervals('1d', zone, from, to)).toEqual(expected);
  });

  it('leaves out the day that Samoa skipped', () => {
    const days = intervals('1d', 'Pacific/Apia', '2011-12-29T10:00Z', '2012-01-01T10:00Z');
    expect(days.map(([start]) => start)).toEqual([
      '2011-12-29T10:00:00.000Z',
      '2011-12-30T10:00:00.000Z',
      '2011-12-31T10:00:00.000Z',
    ]);
    expect(new Set(days.map(([, hours]) => hours))).toEqual(new Set([24]));
  });
});

it('begins weeks on Monday and months on the first', () => {
  expect(intervals('1w', 'UTC', '2026-11-21T00:00Z', '2026-11-23T00:00Z')).toEqual([['2026-11-16T00:00:00.000Z', 168]]);
  const months = intervals('1M', 'Europe/Berlin', '2026-01-31T12:00Z', '2026-03-01T00:00Z');
  expect(months.map(([start]) => start)).toEqual([
    '2025-12-31T23:00:00.000Z',
    '2026-01-31T23:00:00.000Z',
    '2026-02-28T23:00:00.000Z',
  ]);
});

it('covers the time without a gap, whatever the step and the zone', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia', 'Australia/Lord_Howe'];
  const moment = fc.date({ min: new Date('2010-01-01'), max: new Date('2030-01-01'), noInvalidDate: true });
  fc.assert(
    fc.property(
      moment,
      fc.integer({ min: 1, max: 20 * 24 }),
      fc.constantFrom(...CHART_STEPS),
      fc.constantFrom(...zones),
      (from, hours, step, timeZone) => {
        const to = new Date(from.getTime() + hours * HOUR_MS);
        const found = chartIntervals({ from, to }, { step, timeZone, limit: 10_000 }) ?? [];
        expect(found[0]?.start.getTime()).toBeLessThanOrEqual(from.getTime());
        expect(found.at(-1)?.end.getTime()).toBeGreaterThanOrEqual(to.getTime());
        for (const [index, { start, end }] of found.entries()) {
          expect(end > start).toBe(true);
          if (index > 0) expect(found[index - 1]?.end).toEqual(start);
        }
      },
    ),
    { numRuns: 60 },
  );
});

it('says when there would be too many, and knows zones by name', () => {
  const year = { from: new Date('2026-01-01'), to: new Date('2027-01-01') };
  expect(chartIntervals(year, { step: '5m', timeZone: 'UTC', limit: LIMIT })).toBeUndefined();
  expect(['Europe/Berlin', 'UTC', 'Asia/Kathmandu'].every(isTimeZone)).toBe(true);
  expect(['Mars/Olympus', '', '+02:00', 'x'.repeat(500)].some(isTimeZone)).toBe(false);
});
