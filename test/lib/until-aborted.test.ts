import { expect, it } from 'vitest';
import { untilAborted } from '../../src/lib/until-aborted.ts';

it('gives what the work gives', async () => {
  const { signal } = new AbortController();
  await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
  await expect(untilAborted(Promise.reject(new Error('no')), signal)).rejects.toThrow('no');
});

it('stops waiting when the signal fires, and leaves the work alone', async () => {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<number>();
  const waiting = untilAborted(promise, controller.signal);
  const other = untilAborted(promise, new AbortController().signal);
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: 'upstream_aborted' });
  await expect(untilAborted(promise, AbortSignal.abort())).rejects.toMatchObject({ code: 'upstream_aborted' });
  resolve(2);
  await expect(other).resolves.toBe(2);
});
