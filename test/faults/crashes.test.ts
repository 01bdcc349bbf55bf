import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import type { Body } from '../support/test-stack.ts';

const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
/** What an orchestrator grants between SIGTERM and SIGKILL. */
const GRACE_MS = 30_000;

let postgres: PostgresCluster;
let redis: RedisServer;
let chain: LocalChain;
let endpoint: FaultServer;
beforeAll(async () => {
  [postgres, redis, chain] = await Promise.all([startPostgresCluster(), startRedisServer(), startLocalChain({ chainId: 1 })]);
  endpoint = await startFaultServer({ upstreamUrl: chain.rpcUrl });
  await chain.setNative(ALICE, 5n * 10n ** 18n);
});
afterAll(async () => {
  await Promise.all([postgres.close(), redis.close(), chain.stop(), endpoint.close()]);
});
beforeEach(() => endpoint.setMode('ok'));

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const service = await startServiceProcess({
    environment: isolatedEnvironment({
      DATABASE_URL: postgres.url,
      ETHEREUM_RPC_URLS: endpoint.url(),
      EMBEDDED_WORKER: 'true',
      RATE_LIMIT_PER_MINUTE: '0',
      ...overrides,
    }),
  });
  onTestFinished(async () => void (await service.kill()));
  return service;
}

async function call(service: ServiceProcess, method: 'GET' | 'POST', path: string, payload?: object): Promise<Body> {
  const headers = { 'content-type': 'application/json', prefer: 'wait=0' };
  const sent = payload === undefined ? {} : { headers, body: JSON.stringify(payload) };
  const answer = await fetch(`${service.url}/api/v1${path}`, { method, ...sent });
  if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

/** A refresh that has begun to read the chain and gets no answer. */
async function startRefresh(service: ServiceProcess): Promise<string> {
  await call(service, 'POST', '/wallets', { address: ALICE });
  endpoint.setMode('hang');
  const { id } = await call(service, 'POST', '/portfolio/refresh', {});
  await expect.poll(() => endpoint.openResponses(), { timeout: 30_000 }).toBeGreaterThan(0);
  return id;
}

describe('fault 38: SIGTERM', () => {
  it.each([
    ['Redis', async () => redis.freeze(), async () => redis.thaw()],
    ['Postgres', () => postgres.freeze(), async () => postgres.thaw()],
    ['a dead Postgres', () => postgres.kill(), () => postgres.start()],
  ] as const)(
    'fault 38: with %s that does not answer ends the process in time, also in the middle of a refresh',
    async (_, hurt, heal) => {
      const service = await start({ REDIS_URL: redis.url });
      await startRefresh(service);
      await hurt();
      const startedAt = performance.now();
      const { signal } = await service.stop();
      const ms = performance.now() - startedAt;
      await heal();
      expect(signal).toBeNull();
      expect(ms).toBeLessThan(GRACE_MS);
    },
    120_000,
  );
});

describe('fault 47: an error that reaches nobody', () => {
  const PLANTED_FAULTS = fileURLToPath(new URL('../support/planted-faults.ts', import.meta.url));

  it.each(['throw', 'reject'])(
    'fault 47: by %s is logged, and the process drains and ends with a bad code',
    async (fault) => {
      const service = await start({ NODE_OPTIONS: `--import=${PLANTED_FAULTS}`, PLANTED_FAULT: fault });
      await call(service, 'GET', '/portfolio');
      service.signal('SIGUSR2');
      expect(await service.ended).toEqual({ code: 1, signal: null });
      expect(service.log()).toContainEqual(
        expect.objectContaining({ level: 'fatal', err: expect.objectContaining({ message: 'planted' }) }),
      );
      // The next one finds everything as it was left.
      const next = await start();
      expect(await call(next, 'GET', '/wallets')).toBeDefined();
    },
    60_000,
  );
});
