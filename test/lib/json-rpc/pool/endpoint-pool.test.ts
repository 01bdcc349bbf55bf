import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CANNED_CHAIN_ID, type FaultServer, startFaultServer } from '../../../../localnet/fault-server.ts';
import { AppError, type ErrorCode } from '../../../../src/domain/errors.ts';
import { createHttpClient } from '../../../../src/lib/http-client.ts';
import { createEndpointPool, type EndpointPool } from '../../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import { createRpcEndpoint, type RpcEndpoint, type RpcItem } from '../../../../src/lib/json-rpc/rpc-endpoint.ts';
import { FAULTS, patienceMs } from '../faults.ts';

const http = createHttpClient();
const { signal } = new AbortController();
let first: FaultServer;
let second: FaultServer;

beforeEach(async () => {
  [first, second] = await Promise.all([startFaultServer(), startFaultServer()]);
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all([first.close(), second.close()]);
});
afterAll(() => http.close());

async function requireOurChain(endpoint: RpcEndpoint, verifySignal: AbortSignal): Promise<void> {
  const chainId = await endpoint.call({ method: 'eth_chainId', params: [] }, { signal: verifySignal });
  if (Number(chainId) === CANNED_CHAIN_ID) return;
  throw new AppError('upstream_wrong_chain', `${endpoint.name} serves another chain.`, { provider: endpoint.name });
}

/** Background probes only with a unit of time for them. */
function poolOf(servers: readonly FaultServer[], timeoutMs = 10_000, probeUnitMs?: number): EndpointPool {
  return createEndpointPool({
    ...(probeUnitMs === undefined ? {} : { probeHead, probeUnitMs }),
    endpoints: servers.map((server) => createRpcEndpoint({ url: `${server.url()}/v3/CANARY`, family: 'evm', http, timeoutMs })),
    verify: requireOurChain,
  });
}

async function probeHead(endpoint: RpcEndpoint, probeSignal: AbortSignal): Promise<bigint> {
  return BigInt(String(await endpoint.call({ method: 'echo', params: ['0x10'] }, { signal: probeSignal })));
}

/** Says which endpoint answered. */
async function ask(endpoint: RpcEndpoint): Promise<string> {
  await endpoint.call({ method: 'echo', params: ['hello'] }, { signal });
  return endpoint.name;
}

function nameOf(server: FaultServer): string {
  return new URL(server.url()).host;
}

function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.unreachable('it was meant to fail'),
    (error) => error,
  );
}

/** Only the date: time passes for the pool while the sockets go on. */
function passTime(ms: number): void {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ['Date'], now: now + ms });
}

describe('a good first endpoint', () => {
  it('serves everything, checked once for all who ask at the same time', async () => {
    const pool = poolOf([first, second]);
    expect(pool.names).toEqual([nameOf(first), nameOf(second)]);
    const names = await Promise.all(Array.from({ length: 10 }, () => pool.run(ask, signal)));
    expect(new Set(names)).toEqual(new Set([nameOf(first)]));
    expect(first.requests()).toBe(11);
    expect(second.requests()).toBe(0);
  });

  it('is checked again after five minutes', async () => {
    const pool = poolOf([first, second]);
    await pool.run(ask, signal);
    passTime(4 * 60_000);
    await pool.run(ask, signal);
    expect(first.requests()).toBe(3);
    passTime(2 * 60_000);
    await pool.run(ask, signal);
    expect(first.requests()).toBe(5);
  });
});

describe('a first endpoint with the fault', () => {
  it.each([...FAULTS.map(([mode]) => mode), 'wrong-chain' as const])('%s from the start costs only time', async (mode) => {
    first.setMode(mode);
    const startedAt = performance.now();
    expect(await poolOf([first, second], patienceMs(mode)).run(ask, signal)).toBe(nameOf(second));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await first.allClosed();
  });

  it.each(FAULTS)('%s after it was good costs only time', async (mode) => {
    const pool = poolOf([first, second], patienceMs(mode));
    expect(await pool.run(ask, signal)).toBe(nameOf(first));
    first.setMode(mode);
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    await first.allClosed();
  });

  it.each(FAULTS)('%s alone fails as what it is', async (mode, code) => {
    const pool = poolOf([first], patienceMs(mode));
    await pool.run(ask, signal);
    first.setMode(mode);
    const error = await failure(pool.run(ask, signal));
    expect(error).toMatchObject({ code, provider: nameOf(first) });
    expect(error.message + error.stack).not.toContain('CANARY');
  });

  it('half: the items that failed are read elsewhere, the others are used', async () => {
    const pool = poolOf([first, second]);
    await pool.run(ask, signal);
    first.setMode('half');
    const results = new Map<number, unknown>();
    let pending = Array.from({ length: 10 }, (_, index) => index);
    await pool.run(async (endpoint) => {
      const calls = pending.map((index) => ({ method: 'echo', params: [`${endpoint.name} ${index}`] }));
      const items = await endpoint.batch(calls, { signal });
      for (const [at, item] of items.entries()) if (item.ok) results.set(pending[at] ?? -1, item.value);
      pending = pending.filter((_, at) => items[at]?.ok === false);
      const failed = items.find((item): item is Extract<RpcItem, { ok: false }> => !item.ok);
      if (failed !== undefined) throw failed.error;
    }, signal);
    expect(results.size).toBe(10);
    for (const [index, text] of results) expect(text).toBe(`${nameOf(index % 2 === 0 ? first : second)} ${index}`);
  });
});

describe('an endpoint of another chain', () => {
  it('is never believed, not even when there is no other', async () => {
    first.setMode('wrong-chain');
    const pool = poolOf([first]);
    const task = vi.fn(ask);
    for (let round = 0; round < 3; round += 1) {
      expect(await failure(pool.run(task, signal))).toMatchObject({ code: 'upstream_wrong_chain', provider: nameOf(first) });
    }
    expect(task).not.toHaveBeenCalled();
  });

  it('is not believed when it turned into one while it was away', async () => {
    const pool = poolOf([first, second], 10_000, 10);
    await pool.run(ask, signal);
    first.setMode('reset');
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    first.setMode('wrong-chain');
    await expect.poll(() => pool.status()[0]?.state).toBe('wrong_chain');
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    first.setMode('ok');
    await expect.poll(() => pool.run(ask, signal)).toBe(nameOf(first));
    pool.close();
  });

  it('is found out within five minutes when it turned into one without a failure', async () => {
    const pool = poolOf([first, second]);
    await pool.run(ask, signal);
    first.setMode('wrong-chain');
    passTime(5 * 60_000);
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
  });
});

describe('an endpoint that failed', () => {
  it('stands behind the others for a while and then comes first again', async () => {
    const pool = poolOf([first, second]);
    first.setMode('html503');
    await pool.run(ask, signal);
    first.setMode('ok');
    const before = first.requests();
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    expect(first.requests()).toBe(before);
    passTime(31_000);
    expect(await pool.run(ask, signal)).toBe(nameOf(first));
  });

  it('still serves when the others fail too', async () => {
    const pool = poolOf([first, second]);
    first.setMode('html503');
    await pool.run(ask, signal);
    first.setMode('ok');
    second.setMode('reset');
    expect(await pool.run(ask, signal)).toBe(nameOf(first));
  });
});

describe('an endpoint that limits the rate', () => {
  it.each([
    ['r429-seconds', 4_000, 6_000],
    ['r429-3600', 29_000, 31_000],
    ['r429-0', 500, 2_000],
    ['r429-garbage', 4_000, 6_000],
    ['r429-negative', 4_000, 6_000],
    ['rpc-429', 4_000, 6_000],
  ] as const)('%s is left alone for a while, and not for ever', async (mode, stillAwayMs, backMs) => {
    const pool = poolOf([first, second]);
    await pool.run(ask, signal);
    first.setMode(mode);
    await pool.run(ask, signal);
    first.setMode('ok');
    const limitedAt = Date.now();
    const before = first.requests();
    vi.useFakeTimers({ toFake: ['Date'], now: limitedAt + stillAwayMs });
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    expect(first.requests()).toBe(before);
    vi.setSystemTime(limitedAt + backMs);
    expect(await pool.run(ask, signal)).toBe(nameOf(first));
  });

  it('is asked all the same when every endpoint does, the one that is free soonest and no other', async () => {
    const pool = poolOf([first, second]);
    first.setMode('r429-3600');
    second.setMode('r429-seconds');
    expect((await failure(pool.run(ask, signal))).code).toBe('upstream_rate_limited');
    first.setMode('ok');
    second.setMode('ok');
    const before = first.requests();
    expect(await pool.run(ask, signal)).toBe(nameOf(second));
    expect(first.requests()).toBe(before);
  });
});

describe('what no other endpoint can help', () => {
  it.each<ErrorCode>(['upstream_reverted', 'upstream_aborted', 'name_not_found'])('%s is thrown at once', async (code) => {
    const task = vi.fn(async () => {
      throw new AppError(code, 'no');
    });
    expect((await failure(poolOf([first, second]).run(task, signal))).code).toBe(code);
    expect(task).toHaveBeenCalledOnce();
  });

  it('a fault in the task itself is thrown at once', async () => {
    const task = vi.fn(async () => {
      throw new TypeError('ours');
    });
    await expect(poolOf([first, second]).run(task, signal)).rejects.toThrow(TypeError);
    expect(task).toHaveBeenCalledOnce();
  });

  it('a caller who gives up is let go at once, while the check that others wait for goes on', async () => {
    const pool = poolOf([first, second], 20_000);
    first.setMode('hang');
    const controller = new AbortController();
    const given = failure(pool.run(ask, controller.signal));
    const other = pool.run(ask, signal);
    await expect.poll(() => first.openResponses()).toBe(1);
    const startedAt = performance.now();
    controller.abort();
    expect((await given).code).toBe('upstream_aborted');
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(first.openResponses()).toBe(1);
    // The check has a clock of its own.
    expect(await other).toBe(nameOf(second));
    expect(performance.now() - startedAt).toBeLessThan(7_000);
  });
});

describe('when no endpoint serves', () => {
  it('the last failure is told', async () => {
    first.setMode('html503');
    second.setMode('reset');
    expect(await failure(poolOf([first, second]).run(ask, signal))).toMatchObject({
      code: 'upstream_unreachable',
      provider: nameOf(second),
    });
  });

  it('"unsupported" is told only if none failed otherwise', async () => {
    first.setMode('html503');
    second.setMode('status-404');
    const unverified = createEndpointPool({
      endpoints: [first, second].map((server) => createRpcEndpoint({ url: server.url(), family: 'evm', http })),
      verify: async () => undefined,
    });
    expect((await failure(unverified.run(ask, signal))).code).toBe('upstream_status');
    first.setMode('status-404');
    expect((await failure(unverified.run(ask, signal))).code).toBe('upstream_unsupported');
  });

  it('a chain without endpoints says so', async () => {
    expect((await failure(poolOf([]).run(ask, signal))).code).toBe('upstream_no_endpoint');
  });
});
