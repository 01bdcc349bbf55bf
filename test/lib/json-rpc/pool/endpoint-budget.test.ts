import { describe, expect, it } from 'vitest';
import type { CallReport } from '../../../../src/lib/json-rpc/guard/endpoint-guard.ts';
import { failure, first, nameOf, openPool, pool, run, second, signal, statusOf } from '../two-endpoints.ts';

describe('a budget', () => {
  it('of a second is kept by calls at the same time, which wait their turn', async () => {
    openPool([first], { limits: { perSecond: 5, perDay: null }, probeUnitMs: 60_000 });
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 11 }, () => run()));
    // With the check of the chain they are twelve: five, five and two.
    expect(performance.now() - startedAt).toBeGreaterThan(2_000);
    expect(first.requests()).toBe(12);
    expect(statusOf(first)).toMatchObject({ rateLimitRps: 5, budget: { perSecond: 5, perDay: null, usedToday: 12 } });
  });

  it('of a second has room for batches of its own size only', async () => {
    openPool([first], { limits: { perSecond: 4, perDay: null }, probeUnitMs: 60_000 });
    const calls = Array.from({ length: 10 }, (_, index) => ({ method: 'echo', params: [index] }));
    const items = await pool.run((endpoint) => endpoint.batch(calls, { signal }), signal);
    expect(items).toEqual(calls.map((_, value) => ({ ok: true, value })));
    expect(first.requests()).toBe(1 + 3);
  });

  it('of a day that is used up sends the rest to the next endpoint', async () => {
    openPool([first, second], { limits: { perSecond: null, perDay: 4 }, probeUnitMs: 60_000 });
    const names = [];
    for (let round = 0; round < 6; round += 1) names.push(await run());
    expect(names).toEqual([
      ...Array.from({ length: 3 }, () => nameOf(first)),
      ...Array.from({ length: 3 }, () => nameOf(second)),
    ]);
    expect(first.requests()).toBe(4);
    expect(statusOf(first)).toMatchObject({ state: 'limited', budget: { perDay: 4, usedToday: 4 } });
    second.setMode('reset');
    await failure(run());
    expect(first.requests(), 'not even when no other is left').toBe(4);
  });
});

it('every request is reported by method and outcome', async () => {
  const calls: CallReport[] = [];
  openPool([first], { onCall: (report) => calls.push(report), probeUnitMs: 60_000 });
  await run();
  first.setMode('html503');
  await failure(run());
  await failure(
    pool.run(
      (endpoint) =>
        endpoint.batch(
          [
            { method: 'a', params: [] },
            { method: 'b', params: [] },
          ],
          { signal },
        ),
      signal,
    ),
  );
  expect(calls.map(({ method, outcome }) => `${method} ${outcome}`).slice(0, 3)).toEqual([
    'eth_chainId ok',
    'echo ok',
    'echo upstream_status',
  ]);
  expect(calls.every(({ seconds }) => seconds >= 0 && seconds < 30)).toBe(true);
});
