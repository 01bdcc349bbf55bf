import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createSampler } from '../../src/lib/sampler.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('samples at once and then after each pause, whatever goes wrong, until it is stopped', async () => {
  let samples = 0;
  const errors: unknown[] = [];
  const sampler = createSampler({
    sample: async () => {
      samples += 1;
      if (samples === 2) throw new Error('planted');
    },
    intervalMs: 1_000,
    onError: (error) => errors.push(error),
  });
  sampler.start();
  await vi.advanceTimersByTimeAsync(2_500);
  expect(samples).toBe(3);
  expect(errors).toEqual([new Error('planted')]);
  await sampler.stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(samples).toBe(3);
});

it('begins no sample before the last one has ended, and stops with its end', async () => {
  const running = Promise.withResolvers<void>();
  let samples = 0;
  const sampler = createSampler({
    sample: () => {
      samples += 1;
      return running.promise;
    },
    intervalMs: 1_000,
    onError: () => undefined,
  });
  sampler.start();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(samples).toBe(1);
  let isStopped = false;
  const stopped = sampler.stop().then(() => {
    isStopped = true;
  });
  await vi.advanceTimersByTimeAsync(100);
  expect(isStopped).toBe(false);
  running.resolve();
  await stopped;
});
