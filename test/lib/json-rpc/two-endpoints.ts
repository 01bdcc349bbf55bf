import { afterAll, afterEach, beforeEach, expect, vi } from 'vitest';
import { CANNED_CHAIN_ID, type FaultServer, startFaultServer } from '../../../localnet/fault-server.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { type BudgetLimits, createCallBudget } from '../../../src/lib/json-rpc/guard/call-budget.ts';
import type { CallReport } from '../../../src/lib/json-rpc/guard/endpoint-guard.ts';
import { createEndpointPool, type EndpointPool, type EndpointPoolOptions } from '../../../src/lib/json-rpc/pool/endpoint-pool.ts';
import type { EndpointStatus } from '../../../src/lib/json-rpc/pool/endpoint-status.ts';
import { createRpcEndpoint, type RpcEndpoint } from '../../../src/lib/json-rpc/rpc-endpoint.ts';

// For suites of a pool over two endpoints that fail as told: importing this gives each test its own.
const http = createHttpClient();
export const { signal } = new AbortController();
export let first: FaultServer;
export let second: FaultServer;
export let pool: EndpointPool;

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

export async function probeHead(endpoint: RpcEndpoint, probeSignal: AbortSignal): Promise<bigint> {
  return BigInt(String(await endpoint.call({ method: 'eth_blockNumber', params: ['0x10'] }, { signal: probeSignal })));
}

type PoolSettings = Partial<EndpointPoolOptions> & {
  readonly timeoutMs?: number;
  /** Of the first server. */
  readonly limits?: BudgetLimits;
  readonly onCall?: (report: CallReport) => void;
};

/** A pool whose probes come a hundred times faster than usual. */
export function openPool(
  servers: readonly FaultServer[],
  { timeoutMs = 300, limits, onCall, ...options }: PoolSettings = {},
): void {
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

export async function ask(endpoint: RpcEndpoint, own: AbortSignal = signal): Promise<string> {
  await endpoint.call({ method: 'echo', params: ['hello'] }, { signal: own });
  return endpoint.name;
}

export async function run(options?: { isHedged: boolean }): Promise<string> {
  return pool.run(ask, signal, options);
}

export function nameOf(server: FaultServer): string {
  return new URL(server.url()).host;
}

export function statusOf(server: FaultServer): EndpointStatus | undefined {
  return pool.status().find(({ name }) => name === nameOf(server));
}

export async function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.unreachable('it was meant to fail'),
    (error) => error,
  );
}
