import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const LIMIT = 400;
const FIRST = '0x00000000000000000000000000000000000000a1';

let database: TestDatabase;
let redis: RedisServer;
/** One that has a limit, and one that has none. Both cache and count in the same Redis. */
let limited: ServiceProcess;
let free: ServiceProcess;

beforeAll(async () => {
  [database, redis] = await Promise.all([createTestDatabase(), startRedisServer()]);
  const environment = isolatedEnvironment({ DATABASE_URL: database.url, REDIS_URL: redis.url });
  [limited, free] = await Promise.all([
    startServiceProcess({ environment: { ...environment, RATE_LIMIT_PER_MINUTE: String(LIMIT) } }),
    startServiceProcess({ environment: { ...environment, RATE_LIMIT_PER_MINUTE: '0' } }),
  ]);
  expect((await add(FIRST)).status).toBe(201);
});
afterAll(async () => {
  redis.thaw();
  await Promise.all([limited.kill(), free.kill()]);
  await Promise.all([redis.close(), database.close()]);
});

function add(address: string): Promise<Response> {
  const headers = { 'content-type': 'application/json' };
  return fetch(`${free.url}/api/v1/wallets`, { method: 'POST', headers, body: JSON.stringify({ address }) });
}

function read(service: ServiceProcess, path = '/api/v1/portfolio'): Promise<Response> {
  return fetch(service.url + path);
}

async function readMany(service: ServiceProcess, count: number): Promise<readonly number[]> {
  const statuses: number[] = [];
  for (let i = 0; i < count; i += 1) statuses.push((await read(service)).status);
  return statuses;
}

let asked = 0;
/** A currency that nobody asked for before, so that the answer in it is kept nowhere. */
function nextCurrency(): string {
  asked += 1;
  return [asked / 676, asked / 26, asked].map((number) => String.fromCharCode(65 + (Math.floor(number) % 26))).join('');
}

/** Resolves when new answers are kept in Redis (again). */
async function usesRedis(): Promise<void> {
  await redis.admin.flushall();
  const readNew = async (): Promise<number> => {
    await read(free, `/api/v1/portfolio?currency=${nextCurrency()}`);
    return redis.admin.dbsize();
  };
  await expect.poll(readNew, { timeout: 30_000, interval: 100 }).toBeGreaterThan(0);
}

describe('fault 25: Redis frozen', { timeout: 90_000 }, () => {
  it('fault 25: reads and writes go on, and only the first of them wait for it', async () => {
    await usesRedis();
    redis.freeze();
    const startedAt = performance.now();
    expect(new Set(await readMany(free, 100))).toEqual(new Set([200]));
    // A tax of 100 ms on each request would be 10 s.
    expect(performance.now() - startedAt).toBeLessThan(6_000);
    expect((await add('0x00000000000000000000000000000000000000a2')).status).toBe(201);
    expect(await (await read(free, '/api/v1/wallets')).json()).toMatchObject({ wallets: [{}, {}] });
    expect((await read(free, '/health/live')).status).toBe(200);
    expect((await read(free, '/health/ready')).status).toBe(200);
    redis.thaw();
    await usesRedis();
  });

  it('fault 25: limits hold all the same, counted by the process', async () => {
    redis.freeze();
    const statuses = await readMany(limited, 3 * LIMIT);
    redis.thaw();
    expect(new Set(statuses)).toEqual(new Set([200, 429]));
    expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(2 * LIMIT);
  });
});

describe('fault 26: Redis killed, restarted, emptied, made a replica', { timeout: 120_000 }, () => {
  it('fault 26: no request fails under load while all of that happens', async () => {
    const load = startLoad({ urls: [free.url], clients: 4, next: () => ({ path: '/api/v1/portfolio' }) });
    const goesOn = (): Promise<void> => load.untilAnswered(load.counts.answered + 50);
    await goesOn();
    await redis.kill();
    await goesOn();
    await redis.restart();
    await goesOn();
    await redis.admin.flushall();
    await goesOn();
    // A failover makes the old primary a replica that refuses writes.
    await redis.admin.replicaof('127.0.0.1', 1);
    await goesOn();
    await redis.admin.replicaof('NO', 'ONE');
    await goesOn();
    await load.stop();
    expect(load.counts.failures).toEqual([]);
    await usesRedis();
  });
});

describe('fault 27: Redis full', { timeout: 60_000 }, () => {
  it('fault 27: nothing can be kept in it, and no request fails', async () => {
    await redis.admin.config('SET', 'maxmemory', '1mb');
    await expect(redis.admin.set('filler', 'x'.repeat(2_000_000))).rejects.toThrow('OOM');
    const load = startLoad({ urls: [free.url], clients: 4, next: () => ({ path: '/api/v1/portfolio' }) });
    await load.untilAnswered(200);
    await load.stop();
    expect(load.counts.failures).toEqual([]);
    expect((await add('0x00000000000000000000000000000000000000a3')).status).toBe(201);
    await redis.admin.config('SET', 'maxmemory', '0');
    await usesRedis();
  });
});
