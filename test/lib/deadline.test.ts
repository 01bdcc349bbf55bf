import { once } from 'node:events';
import { expect, it } from 'vitest';
import { startDeadline } from '../../src/lib/deadline.ts';

it('fires when the time is up', async () => {
  const deadline = startDeadline(new AbortController().signal, 10);
  expect(deadline.isPast).toBe(false);
  await once(deadline.signal, 'abort');
  expect(deadline.isPast).toBe(true);
});

it('fires with the other signal, also when that has fired already', () => {
  const controller = new AbortController();
  const deadline = startDeadline(controller.signal, 60_000);
  controller.abort();
  expect([deadline.signal.aborted, deadline.isPast]).toEqual([true, false]);
  deadline.end();
  const late = startDeadline(controller.signal, 60_000);
  expect([late.signal.aborted, late.isPast]).toEqual([true, false]);
  late.end();
});

it('lets go of the other signal when it has ended', () => {
  const controller = new AbortController();
  const deadline = startDeadline(controller.signal, 60_000);
  deadline.end();
  controller.abort();
  expect(deadline.signal.aborted).toBe(false);
});
