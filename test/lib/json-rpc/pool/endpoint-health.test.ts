import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RpcEndpoint } from '../../../../src/lib/json-rpc/rpc-endpoint.ts';
import { ask, failure, first, nameOf, openPool, pool, probeHead, run, second, statusOf } from '../two-endpoints.ts';

async function msOf(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work.catch(() => undefined);
  return performance.now() - startedAt;
}

describe('an endpoint that hangs', () => {
  it('costs its time once, is then passed over, and comes back by good probes', async () => {
    const onState = vi.fn();
    openPool([first, second], { timeoutMs: 1_000, onState });
    await run();
    first.setMode('hang');
    expect(await run()).toBe(nameOf(second));
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000 }).toBe('unreachable');
    expect(statusOf(first)).toMatchObject({ breaker: 'open', lastError: { code: 'upstream_timeout' }, isLastUsable: false });
    expect(statusOf(second)).toMatchObject({ state: 'alive', isLastUsable: true });
    for (let round = 0; round < 5; round += 1) expect(await run()).toBe(nameOf(second));

    first.setMode('ok');
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000 }).toBe('alive');
    expect(statusOf(first)).toMatchObject({ breaker: 'closed', failures: 0, head: 16n });
    expect(await run()).toBe(nameOf(first));
    const states = onState.mock.calls.map(([{ to }]) => to);
    expect(states).toEqual(['unreachable', 'probing', 'alive']);
    await first.allClosed();
  });

  it('fault 18: costs a hedged read only the wait for the hedge', async () => {
    const onHedge = vi.fn();
    openPool([first, second], { timeoutMs: 20_000, probeUnitMs: 60_000, onHedge });
    await run();
    for (let round = 0; round < 10; round += 1) await run({ isHedged: true });
    first.setMode('hang');
    expect(await msOf(run({ isHedged: true }))).toBeLessThan(3_000);
    expect(onHedge).toHaveBeenCalledExactlyOnceWith({ won: true });
    await first.allClosed();
    // It stands back for what comes next, which need not be hedged.
    expect(await run()).toBe(nameOf(second));
  });

  it('is let go of when the caller gives up', async () => {
    openPool([first], { timeoutMs: 20_000 });
    await run();
    first.setMode('hang');
    const caller = new AbortController();
    const given = failure(pool.run((endpoint, own) => ask(endpoint, own), caller.signal));
    await expect.poll(() => first.openResponses()).toBe(1);
    const startedAt = performance.now();
    caller.abort();
    expect((await given).code).toBe('upstream_aborted');
    await first.allClosed();
    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(statusOf(first)).toMatchObject({ state: 'alive', failures: 0 });
  });
});

describe('the last live endpoint', () => {
  it('is kept although it fails more often than not', async () => {
    openPool([first], { probeUnitMs: 60_000 });
    for (let round = 0; round < 4; round += 1) {
      first.setMode('ok');
      expect(await run()).toBe(nameOf(first));
      first.setMode('html503');
      await failure(run());
      await failure(run());
    }
    first.setMode('ok');
    expect(statusOf(first)).toMatchObject({ state: 'alive', isLastUsable: true });
    expect(statusOf(first)?.failures).toBeGreaterThanOrEqual(3);
    expect(await run()).toBe(nameOf(first));
  });

  it('that never answers fails at once from then on, and serves again after the first good probe', async () => {
    openPool([first], { timeoutMs: 300 });
    await run();
    first.setMode('hang');
    await failure(run());
    await expect.poll(() => statusOf(first)?.breaker, { timeout: 20_000 }).toBe('open');
    expect(await msOf(run())).toBeLessThan(250);
    expect((await failure(run())).code).toBe('upstream_timeout');
    expect(statusOf(first)).toMatchObject({ state: 'unreachable', isLastUsable: true });
    first.setMode('ok');
    await expect.poll(() => run().catch(() => 'no'), { timeout: 20_000 }).toBe(nameOf(first));
  });

  it('with all others down, those are asked too when it fails', async () => {
    openPool([first, second], { probeUnitMs: 60_000 });
    first.setMode('reset');
    for (let round = 0; round < 3; round += 1) {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31_000 });
      await run();
    }
    expect(statusOf(first)?.state).toBe('unreachable');
    second.setMode('reset');
    expect(await failure(run())).toMatchObject({ code: 'upstream_unreachable' });
  });
});

describe('a flapping endpoint', () => {
  it('fault 19: does not come back before several probes in a row were good', async () => {
    openPool([first, second]);
    await run();
    first.setMode('html503');
    await run();
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000 }).toBe('unreachable');
    const seen = new Set<string | undefined>();
    first.setMode('ok');
    await expect
      .poll(
        () => {
          const state = statusOf(first)?.state;
          seen.add(state);
          return state;
        },
        { timeout: 20_000, interval: 1 },
      )
      .toBe('probing');
    first.setMode('html503');
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000, interval: 1 }).toBe('unreachable');
    expect(seen).not.toContain('alive');
  });
});

describe('probes', () => {
  it('go to endpoints of a chain in use, and to no other', async () => {
    openPool([first, second], { probeUnitMs: 5 });
    await sleep(100);
    expect(first.requests() + second.requests()).toBe(0);
    await run();
    await expect.poll(() => second.requests()).toBeGreaterThan(3);
    expect(statusOf(second)).toMatchObject({ isInUse: true, head: 16n });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11 * 60_000 });
    expect(statusOf(second)?.isInUse).toBe(false);
    await sleep(100);
    const before = second.requests();
    await sleep(100);
    expect(second.requests()).toBe(before);
  });

  it('end with the pool', async () => {
    openPool([first, second], { probeUnitMs: 5 });
    await run();
    await expect.poll(() => second.requests()).toBeGreaterThan(3);
    pool.close();
    await sleep(50);
    const before = second.requests();
    await sleep(100);
    expect(second.requests()).toBe(before);
  });
});

describe('an endpoint that refuses our key', () => {
  it('fault 11: is not asked again by every task', async () => {
    openPool([first, second], { probeUnitMs: 1_000 });
    await run();
    first.setMode('status-401');
    await run();
    expect(statusOf(first)).toMatchObject({ state: 'unauthorized', breaker: 'open' });
    const before = first.requests();
    for (let round = 0; round < 10; round += 1) expect(await run()).toBe(nameOf(second));
    expect(first.requests()).toBe(before);
  });
});

describe('an endpoint whose head lags', () => {
  it('is asked after the others, and first again when it has caught up', async () => {
    const heads = new Map([
      [nameOf(first), 100n],
      [nameOf(second), 100n],
    ]);
    const readHead = async (endpoint: RpcEndpoint, probeSignal: AbortSignal): Promise<bigint> => {
      await probeHead(endpoint, probeSignal);
      const head = heads.get(endpoint.name) ?? 0n;
      heads.set(endpoint.name, endpoint.name === nameOf(second) || !isStuck ? head + 1n : head);
      return head;
    };
    let isStuck = true;
    openPool([first, second], { probeHead: readHead, probeUnitMs: 10 });
    expect(await run()).toBe(nameOf(first));
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000 }).toBe('lagging');
    expect(statusOf(first)?.lagBlocks).toBeGreaterThan(3n);
    expect(await run()).toBe(nameOf(second));
    second.setMode('reset');
    expect(await run(), 'it is better than none').toBe(nameOf(first));
    second.setMode('ok');
    isStuck = false;
    heads.set(nameOf(first), (heads.get(nameOf(second)) ?? 0n) + 10n);
    await expect.poll(() => statusOf(first)?.state, { timeout: 20_000 }).toBe('alive');
  });
});
