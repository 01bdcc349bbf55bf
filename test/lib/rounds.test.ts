import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createRounds } from '../../src/lib/rounds.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('runs at once and then after each pause, whatever goes wrong, until it is stopped', async () => {
  let runs = 0;
  const errors: unknown[] = [];
  const rounds = createRounds({
    run: async () => {
      runs += 1;
      if (runs === 2) throw new Error('planted');
    },
    intervalMs: 1_000,
    onError: (error) => errors.push(error),
  });
  rounds.start();
  await vi.advanceTimersByTimeAsync(2_500);
  expect(runs).toBe(3);
  expect(errors).toEqual([new Error('planted')]);
  await rounds.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(runs).toBe(3);
});

it('begins no round before the last one has ended, and stops with its end', async () => {
  const running = Promise.withResolvers<void>();
  let runs = 0;
  const rounds = createRounds({
    run: () => {
      runs += 1;
      return running.promise;
    },
    intervalMs: 1_000,
    onError: () => undefined,
  });
  rounds.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(runs).toBe(1);
  let isStopped = false;
  const stopped = rounds.stop().then(() => {
    isStopped = true;
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(isStopped).toBe(false);
  running.resolve();
  await stopped;
});
