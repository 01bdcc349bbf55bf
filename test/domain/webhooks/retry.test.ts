import { expect, it } from 'vitest';
import { pauseSeconds, slowDownSeconds } from '../../../src/domain/webhooks/retry.ts';

const HOUR = 3600;
const pause = (attempt: number, random = 0, askedSeconds = 0) => pauseSeconds(attempt, { askedSeconds, random: () => random });

it('goes on for more than a day, ever more seldom, and then ends', () => {
  const pauses = Array.from({ length: 8 }, (_, index) => pause(index + 1));
  expect(pauses).toEqual([5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, undefined]);
  expect(pauses.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0)).toBeGreaterThan(24 * HOUR);
});

it('comes up to a fifth later by chance', () => {
  expect(pause(2, 0.5)).toBe(330);
  expect(pause(2, 1)).toBe(360);
});

it('waits as long as it is asked to, but no longer than a day', () => {
  expect(pause(1, 0, 120)).toBe(120);
  expect(pause(3, 0, 120)).toBe(1800);
  expect(pause(1, 0, 1e9)).toBe(24 * HOUR);
});

it.each([
  [null, 60, 0],
  [200, 60, 0],
  [400, 60, 0],
  [500, 60, 0],
  [429, 60, 60],
  [429, 0, 30],
  [502, 0, 30],
  [503, 1e9, 24 * HOUR],
  [504, 0, 30],
])('an endpoint that answers %s and asks for %s s is left alone for %s s', (status, asked, expected) => {
  expect(slowDownSeconds(status, asked)).toBe(expected);
});
