import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';

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
});
afterAll(async () => {
  await Promise.all([postgres.close(), redis.close(), chain.stop(), endpoint.close()]);
});
beforeEach(() => endpoint.setMode('ok'));

/** An API process with a worker in it. */
function start(): Promise<ServiceProcess> {
  const environment = isolatedEnvironment({
    DATABASE_URL: postgres.url,
    REDIS_URL: redis.url,
    ETHEREUM_RPC_URLS: endpoint.url(),
    EMBEDDED_WORKER: 'true',
  });
  return startServiceProcess({ environment });
}

/** Starts a refresh that reads the chain and gets no answer. */
async function startRefresh({ url }: ServiceProcess): Promise<void> {
  const headers = { 'content-type': 'application/json', prefer: 'wait=0' };
  const post = async (path: string, payload: object): Promise<void> => {
    const answer = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(payload) });
    expect(answer.ok).toBe(true);
  };
  await post('/wallets', { address: ALICE });
  endpoint.setMode('hang');
  await post('/portfolio/refresh', {});
  await expect.poll(() => endpoint.openResponses(), { timeout: 30_000 }).toBeGreaterThan(0);
}

describe('fault 38: SIGTERM', () => {
  it.each([
    ['Redis', async () => redis.freeze(), async () => redis.thaw()],
    ['Postgres', () => postgres.freeze(), async () => postgres.thaw()],
    ['a dead Postgres', () => postgres.kill(), () => postgres.start()],
  ] as const)(
    'fault 38: with %s that does not answer ends the process in time, also in the middle of a refresh',
    async (_, hurt, heal) => {
      const service = await start();
      onTestFinished(async () => void (await service.kill()));
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
