import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

export const PATIENCE = { timeout: 90_000, interval: 200 };
export const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';

/** A local chain on which Alice holds one ether, behind a gate. */
export async function startGatedChain(): Promise<Gate> {
  const ethereum = await startLocalChain({ chainId: 1 });
  await ethereum.setNative(ALICE, 10n ** 18n);
  const gate = await startGate(ethereum.rpcUrl);
  return {
    ...gate,
    async close() {
      await gate.close();
      await ethereum.stop();
    },
  };
}
/** An endpoint that can be shut: reads of balances wait then until it is opened. */
export type Gate = { readonly url: string; shut(): void; open(): void; waiting(): number; close(): Promise<void> };

async function startGate(target: string): Promise<Gate> {
  let opened = Promise.resolve();
  let open = (): void => undefined;
  let waiting = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = '';
    for await (const part of request) body += part;
    // Not the questions by which endpoints are watched.
    if (body.includes('eth_call')) {
      waiting++;
      await opened;
      waiting--;
    }
    const answer = await fetch(target, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    response.setHeader('content-type', 'application/json').end(await answer.text());
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    shut() {
      ({ promise: opened, resolve: open } = Promise.withResolvers<void>());
    },
    open: () => open(),
    waiting: () => waiting,
    async close() {
      open();
      server.closeAllConnections();
      server.close();
    },
  };
}

export type World = {
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  readonly environment: Readonly<Record<string, string>>;
  start(script?: 'main' | 'worker'): Promise<ServiceProcess>;
};

/** A database and a Redis of a test's own, and processes over them. */
export async function createWorld(gate: Gate, overrides: Readonly<Record<string, string>> = {}): Promise<World> {
  const [database, redis] = await Promise.all([createTestDatabase(), startRedisServer()]);
  onTestFinished(async () => {
    redis.thaw();
    await Promise.all([redis.close(), database.close()]);
  });
  const environment = isolatedEnvironment({
    DATABASE_URL: database.url,
    REDIS_QUEUE_URL: redis.url,
    ETHEREUM_RPC_URLS: gate.url,
    REFRESH_INTERVAL_SECONDS: '10',
    ...overrides,
  });
  return {
    database,
    redis,
    environment,
    async start(script = 'worker') {
      const started = await startServiceProcess({ script, environment });
      onTestFinished(async () => void (await started.kill()));
      return started;
    },
  };
}

export async function call(service: ServiceProcess, method: string, path: string, body?: object, headers = {}): Promise<Body> {
  const init = { method, headers: { 'content-type': 'application/json', ...headers } };
  const answer = await fetch(`${service.url}/api/v1${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  return answer.json();
}

export const balanceOf = async (api: ServiceProcess): Promise<Body> =>
  (await call(api, 'GET', '/portfolio')).by_asset?.find((asset: Body) => asset.chain === 'ethereum')?.balance;

export async function listSchedules(redis: RedisServer): Promise<readonly string[]> {
  return (await redis.admin.zrange('{chainfolio}:jobs:repeat', '0', '-1')).toSorted();
}
