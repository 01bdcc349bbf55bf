import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLoopWatch } from '../../src/lib/loop-watch.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('tells of an event loop that stood still, once and by how long', async () => {
  const told: number[] = [];
  const watch = createLoopWatch((ms) => told.push(ms));
  watch.start();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(told).toEqual([]);
  const clock = vi.spyOn(performance, 'now');
  clock.mockReturnValue(performance.now() + 4_000);
  await vi.advanceTimersByTimeAsync(500);
  clock.mockRestore();
  watch.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(told).toHaveLength(1);
  expect(told[0]).toBeGreaterThanOrEqual(3_400);
});
