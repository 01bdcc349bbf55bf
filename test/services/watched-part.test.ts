import { expect, it } from 'vitest';
import { createWatchedPart } from '../../src/services/watched-part.ts';

const START = Date.parse('2026-11-21T08:00:00Z');

function watch(maxSilenceMs?: number) {
  const clock = { now: START };
  const now = (): Date => new Date(clock.now);
  const part = createWatchedPart({ name: 'cache', now, ...(maxSilenceMs === undefined ? {} : { maxSilenceMs }) });
  return { clock, part, status: () => part.get().status };
}

it('is unknown until somebody used it, then as good as it was to them', () => {
  const { clock, part, status } = watch();
  expect(part.get()).toEqual({ name: 'cache', status: 'unknown', checkedAt: null, error: null, block: null, inUse: true });
  part.note(true);
  expect(status()).toBe('ok');
  clock.now += 10_000;
  part.note(false);
  expect(part.get()).toMatchObject({ status: 'degraded', checkedAt: new Date(clock.now) });
  clock.now += 30_000;
  part.note(false);
  expect(status()).toBe('down');
  part.note(true);
  expect(status()).toBe('ok');
});

it('is down at once when it was never good', () => {
  const { part, status } = watch();
  part.note(false);
  expect(status()).toBe('down');
});

it('may be idle for ever, unless it is something that has to be done again and again', () => {
  const idle = watch();
  idle.part.note(true);
  idle.clock.now += 86_400_000;
  expect(idle.status()).toBe('ok');

  const regular = watch(180_000);
  regular.clock.now += 180_000;
  expect(regular.status()).toBe('unknown');
  regular.clock.now += 1;
  expect(regular.status()).toBe('down');
  regular.part.note(true);
  expect(regular.status()).toBe('ok');
  regular.clock.now += 180_001;
  expect(regular.status()).toBe('down');
});
