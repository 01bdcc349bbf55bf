import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { within } from '../../src/lib/within.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const limit = { timeoutMs: 1_000, tooLate: () => new Error('too late') };

it('gives what the work gives in time, and leaves no timer behind', async () => {
  expect(await within(Promise.resolve('done'), limit)).toBe('done');
  await expect(within(Promise.reject(new Error('its own')), limit)).rejects.toThrow('its own');
  expect(vi.getTimerCount()).toBe(0);
});

it('gives up when the time is up, and the work may still fail unheard', async () => {
  const work = Promise.withResolvers<string>();
  const waiting = expect(within(work.promise, limit)).rejects.toThrow('too late');
  await vi.advanceTimersByTimeAsync(1_000);
  await waiting;
  work.reject(new Error('later'));
  await vi.advanceTimersByTimeAsync(1);
});
