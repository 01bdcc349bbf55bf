import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

const PATIENCE = { timeout: 90_000, interval: 200 };
const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
const SCHEDULES = ['dispatch', 'heal', 'prices', 'snapshots', 'sweep', 'thin', 'transfers'];

let ethereum: LocalChain;
let gate: Gate;
beforeAll(async () => {
  ethereum = await startLocalChain({ chainId: 1 });
  await ethereum.setNative(ALICE, 10n ** 18n);
  gate = await startGate(ethereum.rpcUrl);
});
afterAll(async () => {
  gate.close();
  await ethereum.stop();
});

/** An endpoint that can be shut: reads of balances wait then until it is opened. */
type Gate = { readonly url: string; shut(): void; open(): void; waiting(): number; close(): void };

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
    close() {
      open();
      server.closeAllConnections();
      server.close();
    },
  };
}

type World = {
  readonly database: TestDatabase;
  readonly redis: RedisServer;
  readonly environment: Readonly<Record<string, string>>;
  start(script?: 'main' | 'worker'): Promise<ServiceProcess>;
};

/** A database and a Redis of a test's own, and processes over them. */
async function createWorld(overrides: Readonly<Record<string, string>> = {}): Promise<World> {
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

async function call(service: ServiceProcess, method: string, path: string, body?: object, headers = {}): Promise<Body> {
  const init = { method, headers: { 'content-type': 'application/json', ...headers } };
  const answer = await fetch(`${service.url}/api/v1${path}`, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  return answer.json();
}

const balanceOf = async (api: ServiceProcess): Promise<Body> =>
  (await call(api, 'GET', '/portfolio')).by_asset?.find((asset: Body) => asset.chain === 'ethereum')?.balance;

async function listSchedules(redis: RedisServer): Promise<readonly string[]> {
  return (await redis.admin.zrange('{chainfolio}:jobs:repeat', '0', '-1')).toSorted();
}

describe('fault 26: the queue loses everything', () => {
  it('fault 26: schedules are back after FLUSHALL, and wallets are read on', async () => {
    gate.open();
    const { redis, start } = await createWorld();
    const api = await start('main');
    await start();
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    await redis.admin.flushall();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
  }, 180_000);
});

describe('fault 37: a process dies in the middle', () => {
  it('fault 37: a worker that is killed while it reads leaves the wallets to another', async () => {
    gate.open();
    const { start } = await createWorld();
    const [api, doomed] = [await start('main'), await start()];
    gate.shut();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    await start();
    await doomed.kill();
    gate.open();
    await expect.poll(() => balanceOf(api), { ...PATIENCE, timeout: 150_000 }).toBe('1');
  }, 240_000);

  it('fault 37: a refresh whose process is killed is finished by a worker, and the one who asked for it sees that', async () => {
    gate.open();
    const { start } = await createWorld({ REFRESH_INTERVAL_SECONDS: '86400' });
    const [doomed, api] = [await start('main'), await start('main')];
    await call(doomed, 'POST', '/wallets', { address: ALICE });
    gate.shut();
    const { id, status } = await call(doomed, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=0' });
    expect(status).toBe('running');
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    await doomed.kill();
    gate.open();
    await start();
    // Joins the same refresh, and waits for its end in another process.
    const joined = await call(api, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=60' });
    expect(joined).toMatchObject({ id, status: 'finished', progress: { done: 1, total: 1 } });
    expect(joined.sources[0].status).toBe('ok');
    expect(await balanceOf(api)).toBe('1');
  }, 180_000);

  it('fault 37: a refresh that is stopped by SIGTERM is handed back and finished at once', async () => {
    gate.open();
    const { start } = await createWorld({ REFRESH_INTERVAL_SECONDS: '86400' });
    const [stopped, api] = [await start('main'), await start('main')];
    await start();
    await call(stopped, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    gate.shut();
    const { id } = await call(stopped, 'POST', '/portfolio/refresh', {}, { prefer: 'wait=0' });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    expect(await stopped.stop()).toMatchObject({ code: 0 });
    gate.open();
    await expect.poll(async () => (await call(api, 'GET', `/refreshes/${id}`)).status, PATIENCE).toBe('finished');
    const { sources } = await call(api, 'GET', `/refreshes/${id}`);
    expect(sources.map((source: Body) => [source.status, source.error])).toEqual([['ok', null]]);
  }, 180_000);
});

describe('fault 38: SIGTERM', () => {
  it.each(['frozen', 'dead'])(
    'fault 38: ends a worker in time while Redis is %s, also in the middle of a read',
    async (how) => {
      gate.open();
      const { redis, start } = await createWorld();
      const [api, worker] = [await start('main'), await start()];
      gate.shut();
      await call(api, 'POST', '/wallets', { address: ALICE });
      await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
      if (how === 'frozen') redis.freeze();
      else await redis.kill();
      const startedAt = performance.now();
      await worker.stop();
      expect(performance.now() - startedAt).toBeLessThan(30_000);
      gate.open();
      redis.thaw();
      if (how === 'dead') await redis.restart();
      await start();
      await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    },
    240_000,
  );
});

describe('fault 38: SIGTERM without Redis', () => {
  it('fault 38: ends a worker in time while Postgres is frozen, also in the middle of a read', async () => {
    gate.open();
    const { database, environment, start } = await createWorld({ REDIS_QUEUE_URL: '' });
    const proxy = await startTcpProxy(database.url);
    onTestFinished(() => proxy.close());
    const api = await start('main');
    const worker = await startServiceProcess({ script: 'worker', environment: { ...environment, DATABASE_URL: proxy.url } });
    onTestFinished(async () => void (await worker.kill()));
    gate.shut();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => gate.waiting(), PATIENCE).toBeGreaterThan(0);
    proxy.pause();
    const startedAt = performance.now();
    await worker.stop();
    expect(performance.now() - startedAt).toBeLessThan(60_000);
    gate.open();
  }, 180_000);
});

describe('fault 39: many start together', () => {
  it('fault 39: five workers keep one set of schedules and read each wallet once in a round', async () => {
    gate.open();
    const { redis, start } = await createWorld({ REFRESH_INTERVAL_SECONDS: '86400' });
    const workers = await Promise.all(Array.from({ length: 5 }, () => start()));
    const api = await start('main');
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    expect(await listSchedules(redis)).toEqual(SCHEDULES);
    const countRuns = async (): Promise<number> => {
      const runs = workers.map(async ({ url }) => {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        return Number(/job_duration_seconds_count\{job="read-wallets",outcome="ok"\} (\d+)/.exec(metrics)?.[1] ?? 0);
      });
      return (await Promise.all(runs)).reduce((sum, count) => sum + count, 0);
    };
    // What a job has read is stored before the job has ended.
    await expect.poll(countRuns, PATIENCE).toBeGreaterThan(0);
    expect(await countRuns()).toBe(1);
  }, 180_000);
});

describe('fault 40: jobs that nobody can do', () => {
  it('fault 40: end as dead letters that an operator can list and replay, while the rest goes on', async () => {
    gate.open();
    const { environment, redis, start } = await createWorld();
    const [api, worker] = [await start('main'), await start()];
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    const { Queue } = await import('bullmq');
    const queue = new Queue('jobs', { connection: { host: '127.0.0.1', port: redis.port }, prefix: '{chainfolio}' });
    onTestFinished(() => queue.close());
    await queue.add('format-disk', { path: '/' }, { jobId: 'unknown' });
    await queue.add('read-wallets', { v: 7 }, { jobId: 'malformed' });
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    await expect.poll(async () => await queue.getFailedCount(), PATIENCE).toBe(2);
    const run = (...args: string[]) => runScript('dead-letters', { environment, args });
    const listed = await run('list');
    expect(listed.code).toBe(0);
    expect(listed.output).toMatch(/^unknown {2}\S+ {2}format-disk: no job is called format-disk$/m);
    expect(listed.output).toMatch(/^malformed {2}\S+ {2}read-wallets: the data of the job cannot be read$/m);
    expect(await run('replay', 'nobody')).toMatchObject({ code: 1, output: 'There is no dead letter of the id nobody.' });
    expect(await run('replay', 'unknown')).toMatchObject({ code: 0, output: 'Replayed: unknown' });
    expect(await run('replay', '--all')).toMatchObject({ code: 0 });
    // Nobody knows them any better now.
    await expect.poll(async () => await queue.getFailedCount(), PATIENCE).toBe(2);
    expect(await run('explode')).toMatchObject({ code: 1, output: expect.stringContaining('Usage') });
    expect(worker.lines.join('\n')).not.toContain('ended');
  }, 180_000);
});
