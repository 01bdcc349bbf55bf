import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRateLimiter, type RateLimiter, type RateLimiterOptions } from '../../src/lib/rate-limiter.ts';
import { closeRedis, createRedis, type RedisClient } from '../../src/lib/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const quiet = { info: () => undefined, warn: () => undefined };

function createLimiter(options: Partial<RateLimiterOptions> = {}): RateLimiter {
  return createRateLimiter({ points: 10, windowSeconds: 60, redis: null, instanceCount: 1, log: quiet, ...options });
}

describe('a limiter in process', () => {
  it('grants what there is and counts each client for itself', async () => {
    const limiter = createLimiter();
    expect(await limiter.spend('a', 3)).toEqual({ isAllowed: true, remaining: 7, resetMs: expect.any(Number) });
    expect(await limiter.spend('a', 7)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await limiter.spend('a', 1)).toMatchObject({ isAllowed: false, remaining: 0 });
    expect(await limiter.spend('b', 1)).toMatchObject({ isAllowed: true, remaining: 9 });
  });

  it('takes nothing for what it refuses', async () => {
    const limiter = createLimiter();
    await limiter.spend('a', 4);
    for (let i = 0; i < 20; i++) expect(await limiter.spend('a', 7)).toMatchObject({ isAllowed: false, remaining: 6 });
    expect(await limiter.spend('a', 6)).toMatchObject({ isAllowed: true, remaining: 0 });
  });

  it('grants what costs more than a whole window to whoever has spent nothing', async () => {
    const limiter = createLimiter();
    expect(await limiter.spend('a', 1000)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await limiter.spend('a', 1000)).toMatchObject({ isAllowed: false, remaining: 0 });
  });

  it('keeps no more clients in mind than there is room for, and counts on for those who keep coming', async () => {
    const limiter = createLimiter();
    for (let i = 0; i < 250_000; i++) {
      if (i % 50_000 === 0) await limiter.spend('busy', 2);
      await limiter.spend(`client ${i}`, 10);
    }
    expect(await limiter.spend('busy', 1)).toMatchObject({ isAllowed: false, remaining: 0 });
    expect(await limiter.spend('client 249999', 1)).toMatchObject({ isAllowed: false });
    expect(await limiter.spend('client 0', 1)).toMatchObject({ isAllowed: true });
  });

  it('gives all points back at the moment it named', async () => {
    const limiter = createLimiter({ windowSeconds: 1 });
    const { resetMs } = await limiter.spend('a', 10);
    expect(resetMs).toBeGreaterThan(0);
    expect(resetMs).toBeLessThanOrEqual(1000);
    await sleep(resetMs + 5);
    expect(await limiter.spend('a', 10)).toMatchObject({ isAllowed: true });
  });
});

describe('limiters over one Redis', () => {
  let server: RedisServer;
  let clients: readonly RedisClient[];
  let places: string[];
  const told: string[] = [];
  const log = { info: (_: object, text: string) => told.push(text), warn: (_: object, text: string) => told.push(text) };

  beforeAll(async () => {
    server = await startRedisServer();
  });
  beforeEach(async () => {
    await server.admin.flushall();
    places = [];
    told.length = 0;
    clients = await Promise.all([connect(), connect()]);
  });
  afterEach(async () => {
    await Promise.all(clients.map(closeRedis));
  });
  afterAll(async () => {
    await server.close();
  });

  async function connect(commandTimeoutMs = 100): Promise<RedisClient> {
    const client = createRedis({ url: server.url, name: 'limits', log: quiet, commandTimeoutMs });
    await new Promise<void>((resolve) => client.once('ready', () => resolve()));
    return client;
  }

  function pair(options: Partial<RateLimiterOptions> = {}): readonly [RateLimiter, RateLimiter] {
    const make = (redis: RedisClient | undefined): RateLimiter =>
      createLimiter({ redis: redis ?? null, instanceCount: 2, log, onSpend: ({ mode }) => places.push(mode), ...options });
    return [make(clients[0]), make(clients[1])];
  }

  /** Spends one point at a time until it is counted in Redis again. */
  async function untilShared(limiter: RateLimiter): Promise<void> {
    do {
      await limiter.spend('probe', 0);
      await sleep(20);
    } while (places.at(-1) !== 'redis');
  }

  it('share the count', async () => {
    const [one, other] = pair();
    expect(await one.spend('a', 6)).toMatchObject({ isAllowed: true, remaining: 4 });
    expect(await other.spend('a', 5)).toMatchObject({ isAllowed: false, remaining: 4 });
    expect(await other.spend('a', 4)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await one.spend('a', 1)).toMatchObject({ isAllowed: false, remaining: 0 });
    expect(new Set(places)).toEqual(new Set(['redis']));
    const [key = ''] = await server.admin.keys('*');
    expect(await server.admin.pttl(key)).toBeGreaterThan(50_000);
  });

  it('grant no more than there is to requests that come at once', async () => {
    const limiters = pair({ points: 25 });
    const attempts = Array.from({ length: 100 }, (_, index) => limiters[index % 2 === 0 ? 0 : 1].spend('a', 1));
    expect((await Promise.all(attempts)).filter(({ isAllowed }) => isAllowed)).toHaveLength(25);
  });

  it('answer within the timeout when Redis freezes, and still limit', async () => {
    const [limiter] = pair();
    await limiter.spend('a', 1);
    server.freeze();
    try {
      const startedAt = performance.now();
      const atOnce = await Promise.all(Array.from({ length: 8 }, () => limiter.spend('a', 1)));
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(atOnce.filter(({ isAllowed }) => isAllowed)).toHaveLength(5);
      expect(told).toEqual(['rate limits are counted by each process for itself: redis fails']);
    } finally {
      server.thaw();
    }
    await untilShared(limiter);
    expect(told.at(-1)).toBe('rate limits are shared again');
  });

  it('hold nobody up while Redis stays frozen, not even to find out whether it is back', async () => {
    const patient = await connect(2_000);
    const limiter = createLimiter({ redis: patient, onSpend: ({ mode }) => places.push(mode) });
    server.freeze();
    try {
      await limiter.spend('a', 10);
      const startedAt = performance.now();
      let longest = 0;
      while (performance.now() - startedAt < 1_500) {
        const at = performance.now();
        expect(await limiter.spend('a', 1)).toMatchObject({ isAllowed: false });
        longest = Math.max(longest, performance.now() - at);
        await sleep(5);
      }
      expect(longest).toBeLessThan(1_000);
    } finally {
      server.thaw();
    }
    await untilShared(limiter);
    await closeRedis(patient);
  });

  it('go on when Redis is killed, and share again when it is back', async () => {
    const [one, other] = pair();
    await one.spend('a', 9);
    await server.kill();
    for (const limiter of [one, other]) {
      expect(await limiter.spend('a', 5)).toMatchObject({ isAllowed: true, remaining: 0 });
      expect(await limiter.spend('a', 1)).toMatchObject({ isAllowed: false });
    }
    await server.restart();
    await untilShared(one);
    await untilShared(other);
    expect(await other.spend('b', 6)).toMatchObject({ isAllowed: true });
    expect(await one.spend('b', 5)).toMatchObject({ isAllowed: false, remaining: 4 });
  });

  it('count anew after FLUSHALL and SCRIPT FLUSH', async () => {
    const [one, other] = pair();
    await one.spend('a', 10);
    await server.admin.flushall();
    await server.admin.script('FLUSH');
    expect(await one.spend('a', 10)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(await other.spend('a', 1)).toMatchObject({ isAllowed: false });
    expect(new Set(places)).toEqual(new Set(['redis']));
  });

  it.each([
    ['has become a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
  ])('go on when Redis %s', async (_name, breaking, mending) => {
    const [limiter] = pair();
    const send = ([name = '', ...args]: readonly string[]) => server.admin.call(name, ...args);
    await send(breaking);
    try {
      expect(await limiter.spend('a', 5)).toMatchObject({ isAllowed: true });
      expect(await limiter.spend('a', 1)).toMatchObject({ isAllowed: false });
      expect(new Set(places)).toEqual(new Set(['memory']));
    } finally {
      await send(mending);
    }
    await untilShared(limiter);
  });
});
