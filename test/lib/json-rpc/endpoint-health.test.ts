import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CANNED_CHAIN_ID, type FaultServer, startFaultServer } from '../../../localnet/fault-server.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { type BudgetLimits, createCallBudget } from '../../../src/lib/json-rpc/call-budget.ts';
import type { CallReport } from '../../../src/lib/json-rpc/endpoint-guard.ts';
import { createEndpointPool, type EndpointPool, type EndpointPoolOptions } from '../../../src/lib/json-rpc/endpoint-pool.ts';
import type { EndpointStatus } from '../../../src/lib/json-rpc/endpoint-status.ts';
import { createRpcEndpoint, type RpcEndpoint } from '../../../src/lib/json-rpc/rpc-endpoint.ts';

const http = createHttpClient();
const { signal } = new AbortController();
let first: FaultServer;
let second: FaultServer;
let pool: EndpointPool;

beforeEach(async () => {
  [first, second] = await Promise.all([startFaultServer(), startFaultServer()]);
});
afterEach(async () => {
  pool.close();
  vi.useRealTimers();
  await Promise.all([first.close(), second.close()]);
});
afterAll(() => http.close());

async function verify(endpoint: RpcEndpoint, verifySignal: AbortSignal): Promise<void> {
  const chainId = await endpoint.call({ method: 'eth_chainId', params: [] }, { signal: verifySignal });
  if (Number(chainId) !== CANNED_CHAIN_ID)
    throw new AppError('upstream_wrong_chain', 'Another chain.', { provider: endpoint.name });
}

async function probeHead(endpoint: RpcEndpoint, probeSignal: AbortSignal): Promise<bigint> {
  return BigInt(String(await endpoint.call({ method: 'eth_blockNumber', params: ['0x10'] }, { signal: probeSignal })));
}

type PoolSettings = Partial<EndpointPoolOptions> & {
  readonly timeoutMs?: number;
  /** Of the first server. */
  readonly limits?: BudgetLimits;
  readonly onCall?: (report: CallReport) => void;
};

/** A pool whose probes come a hundred times faster than usual. */
function openPool(servers: readonly FaultServer[], { timeoutMs = 300, limits, onCall, ...options }: PoolSettings = {}): void {
  const endpoints = servers.map((server, index) =>
    createRpcEndpoint({
      url: `${server.url()}/v3/CANARY`,
      family: 'evm',
      http,
      timeoutMs,
      ...(limits === undefined || index > 0 ? {} : { budget: createCallBudget(limits) }),
      ...(onCall === undefined ? {} : { onCall }),
    }),
  );
  pool = createEndpointPool({ endpoints, verify, probeHead, probeUnitMs: 50, ...options });
}

async function ask(endpoint: RpcEndpoint, own: AbortSignal = signal): Promise<string> {
  await endpoint.call({ method: 'echo', params: ['hello'] }, { signal: own });
  return endpoint.name;
}

async function run(options?: { isHedged: boolean }): Promise<string> {
  return pool.run(ask, signal, options);
}

function nameOf(server: FaultServer): string {
  return new URL(server.url()).host;
}

function statusOf(server: FaultServer): EndpointStatus | undefined {
  return pool.status().find(({ name }) => name === nameOf(server));
}

async function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.unreachable('it was meant to fail'),
    (error) => error,
  );
}

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
