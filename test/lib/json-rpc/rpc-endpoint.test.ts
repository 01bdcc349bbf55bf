import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CANNED_CHAIN_ID, type FaultMode, type FaultServer, startFaultServer } from '../../../localnet/fault-server.ts';
import type { AppError } from '../../../src/domain/errors.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { createRpcEndpoint, type RpcCall, type RpcEndpoint, type RpcItem } from '../../../src/lib/json-rpc/rpc-endpoint.ts';
import { FAULTS, UNFIT_FOR_BATCHES } from './faults.ts';

const http = createHttpClient();
const { signal } = new AbortController();
let server: FaultServer;

beforeEach(async () => {
  server = await startFaultServer();
});
afterEach(() => server.close());
afterAll(() => http.close());

/** An endpoint with a key in its URL; of the fault that `setMode` chooses when none is given. */
function endpointOf(mode?: FaultMode, family: 'evm' | 'solana' = 'evm'): RpcEndpoint {
  return createRpcEndpoint({ url: `${server.url(mode)}/v3/CANARY?key=CANARY`, family, http, timeoutMs: 300 });
}

/** Calls that are each answered with their own number. */
function echoes(count: number): readonly RpcCall[] {
  return Array.from({ length: count }, (_, index) => ({ method: 'echo', params: [`0x${index}`] }));
}

function served(count: number): readonly RpcItem[] {
  return Array.from({ length: count }, (_, index) => ({ ok: true, value: `0x${index}` }));
}

function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.unreachable('it was meant to fail'),
    (error) => error,
  );
}

function textOf(error: Error): string {
  return `${error.message} ${error.stack} ${JSON.stringify(error)} ${error.cause instanceof Error ? textOf(error.cause) : error.cause}`;
}

describe('one call', () => {
  it('gives its result', async () => {
    expect(await endpointOf('ok').call({ method: 'eth_chainId', params: [] }, { signal })).toBe(
      `0x${CANNED_CHAIN_ID.toString(16)}`,
    );
  });

  it.each(FAULTS)('of an endpoint with the fault %s fails in time as %s', async (mode, code) => {
    const startedAt = performance.now();
    const error = await failure(endpointOf(mode).call({ method: 'echo', params: ['0x1'] }, { signal }));
    expect(error).toMatchObject({ name: 'AppError', code, provider: new URL(server.url()).host });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(textOf(error)).not.toMatch(/CANARY|1015/);
    await server.allClosed();
    expect(server.requests()).toBe(1);
  });

  it('may have the result null', async () => {
    expect(await endpointOf('ok').call({ method: 'echo', params: [] }, { signal })).toBeNull();
  });
});

describe('a batch', () => {
  it('goes out in one request, answered in the order asked', async () => {
    const before = server.requests();
    expect(await endpointOf('ok').batch(echoes(100), { signal })).toEqual(served(100));
    expect(await endpointOf('reordered').batch(echoes(100), { signal })).toEqual(served(100));
    expect(server.requests()).toBe(before + 2);
  });

  it('is cut into requests of a hundred', async () => {
    const before = server.requests();
    expect(await endpointOf('ok').batch(echoes(450), { signal })).toEqual(served(450));
    expect(server.requests()).toBe(before + 5);
    expect(await endpointOf('ok').batch([], { signal })).toEqual([]);
  });

  it.each(FAULTS.filter(([mode]) => UNFIT_FOR_BATCHES.has(mode)))('fails as a whole with the fault %s', async (mode, code) => {
    const startedAt = performance.now();
    const error = await failure(endpointOf(mode).batch(echoes(100), { signal }));
    expect(error).toMatchObject({ code, provider: new URL(server.url()).host });
    expect(performance.now() - startedAt).toBeLessThan(3_000);
    expect(textOf(error)).not.toMatch(/CANARY|1015/);
    await server.allClosed();
    // Answers too large to take are halved for a while, in case that it is one call's.
    expect(server.requests()).toBeLessThanOrEqual(mode.startsWith('huge') || mode === 'status-413' ? 30 : 1);
  });

  it.each(['half', 'half-429'] as const)('loses only the items that fail (%s)', async (mode) => {
    const items = await endpointOf(mode).batch(echoes(100), { signal });
    const limited = { ok: false, error: expect.objectContaining({ code: 'upstream_rate_limited' }) };
    expect(items).toEqual(served(100).map((item, index) => (index % 2 === 0 ? item : limited)));
  });

  it('loses only what has no answer, or two', async () => {
    const malformed = { ok: false, error: expect.objectContaining({ code: 'upstream_malformed' }) };
    expect(await endpointOf('missing-ids').batch(echoes(3), { signal })).toEqual([...served(2), malformed]);
    expect(await endpointOf('duplicate-ids').batch(echoes(3), { signal })).toEqual([malformed, ...served(3).slice(1)]);
    expect(await endpointOf('wrong-ids').batch(echoes(2), { signal })).toEqual([malformed, malformed]);
  });
});

describe('an endpoint that refuses batches', () => {
  it.each<[FaultMode, number, number]>([
    // The refused batch and the hundred calls, of which the first is the trial.
    ['batch-refused', 101, 100],
    ['batch-400', 101, 100],
    ['batch-null-id', 101, 100],
    // Halved down to single calls.
    ['batch-413', 110, 100],
    ['batch-of-10', 25, 20],
  ])('%s: everything is served, the lesson within %i requests and then within %i', async (mode, learning, learnt) => {
    const endpoint = endpointOf(mode);
    const before = server.requests();
    expect(await endpoint.batch(echoes(100), { signal })).toEqual(served(100));
    const between = server.requests();
    expect(between - before).toBeLessThanOrEqual(learning);
    expect(await endpoint.batch(echoes(100), { signal })).toEqual(served(100));
    expect(server.requests() - between).toBeLessThanOrEqual(learnt);
  });

  it('is not taken for one that only failed for a moment', async () => {
    const endpoint = endpointOf().pastBreaker();
    for (const mode of ['html200', 'html503', 'truncated', 'reset', 'r429', 'huge'] as const) {
      server.setMode(mode);
      await failure(endpoint.batch(echoes(100), { signal }));
    }
    server.setMode('ok');
    const before = server.requests();
    expect(await endpoint.batch(echoes(100), { signal })).toEqual(served(100));
    expect(server.requests()).toBe(before + 1);
  });

  it('is left alone by the rest of the calls when it limits the rate', async () => {
    const endpoint = endpointOf();
    server.setMode('batch-refused');
    await endpoint.batch(echoes(10), { signal });
    server.setMode('rpc-429');
    const before = server.requests();
    const items = await endpoint.batch(echoes(100), { signal });
    expect(items.every((item) => !item.ok && item.error.code === 'upstream_rate_limited')).toBe(true);
    expect(server.requests() - before).toBeLessThanOrEqual(4);
  });

  it('fails as a whole when it fails one of the single calls', async () => {
    const endpoint = endpointOf();
    server.setMode('batch-refused');
    await endpoint.batch(echoes(10), { signal });
    server.setMode('html503');
    const before = server.requests();
    expect((await failure(endpoint.batch(echoes(100), { signal }))).code).toBe('upstream_status');
    expect(server.requests() - before).toBeLessThanOrEqual(4);
  });
});

describe('whole numbers', () => {
  it('of Solana are exact', async () => {
    const lamports = 18_446_744_073_709_551_615n;
    const call = { method: 'echo', params: [{ lamports: Number(lamports), slot: 9_007_199_254_740_991, ui: 1.5 }] };
    const answer = await endpointOf('ok', 'solana').call(call, { signal });
    expect(answer).toEqual({ lamports: 18_446_744_073_709_552_000n, slot: 9_007_199_254_740_991n, ui: 1.5 });
  });
});

it('can be a real node behind a server that misbehaves and is slow', async () => {
  const front = await startFaultServer({ upstreamUrl: server.url('ok'), delayMs: 50 });
  const endpoint = createRpcEndpoint({ url: front.url('half'), family: 'evm', http, timeoutMs: 5_000 });
  const startedAt = performance.now();
  const items = await endpoint.batch(echoes(4), { signal });
  expect(items.map((item) => item.ok)).toEqual([true, false, true, false]);
  expect(performance.now() - startedAt).toBeGreaterThan(45);
  expect(server.requests()).toBe(1);
  await front.close();
});

it('is named by its host alone', () => {
  const { name } = createRpcEndpoint({ url: 'https://u:p@rpc.example.com:8545/v3/KEY?k=KEY', family: 'evm', http });
  expect(name).toBe('rpc.example.com:8545');
});
