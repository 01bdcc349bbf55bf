import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnswerCache } from '../../src/adapters/cache/answer-cache.ts';
import { createRedisStore } from '../../src/adapters/cache/redis-store.ts';
import type { SharedStore } from '../../src/adapters/cache.ts';
import { createRateLimiter, type RateLimiter } from '../../src/lib/rate-limiter.ts';
import { closeRedis, createRedis } from '../../src/lib/redis.ts';
import { type RedisCluster, startRedisCluster, waitForTakeover } from './redis-cluster.ts';

const log = { info: () => undefined, warn: () => undefined };
const PATIENCE = { timeout: 30_000, interval: 100 };
const POINTS = 5;
const PREFIX = 'test:';
const KEYS = Array.from({ length: 30 }, (_, index) => `key-${index}`);

let cluster: RedisCluster;

beforeAll(async () => {
  cluster = await startRedisCluster();
});

afterAll(() => cluster.close());

describe('the cache', () => {
  it('keeps what one process made where another one finds it, on every master', async () => {
    const [one, other] = [createStore(), createStore()];
    // Connections to the masters are made in the background.
    for (const key of KEYS) for (const store of [one, other]) await put(store, key, 'ready');
    const load = async () => ({ bytes: Buffer.from('made once'), etag: '"tag"' });
    const write = createCache(one);
    for (const key of KEYS) await write.getOrLoad(key, { version: '1.1', isBypass: false, load });
    const read = createCache(other);
    const refuse = () => Promise.reject(new Error('it was there'));
    for (const key of KEYS) {
      await expect.poll(async () => (await other.get(key))?.includes('made once'), PATIENCE).toBe(true);
      const answer = await read.getOrLoad(key, { version: '1.1', isBypass: false, load: refuse });
      expect(answer).toMatchObject({ outcome: 'redis_hit', bytes: Buffer.from('made once') });
    }
    const places = await Promise.all(KEYS.map((key) => cluster.masterOf(PREFIX + key)));
    expect(new Set(places)).toEqual(new Set([0, 1, 2]));
    await Promise.all([one.close(), other.close()]);
  });
});

describe('the limits', () => {
  it('are counted together by processes, whichever master a client falls to', async () => {
    const limits = [createLimits(), createLimits()];
    for (const { waitUntilShared } of limits) await waitUntilShared();
    for (const key of KEYS) {
      const answers = [];
      for (let round = 0; round < 4; round++) {
        for (const { limiter } of limits) answers.push(await limiter.spend(`client ${key}`, 1));
      }
      expect(answers.filter(({ isAllowed }) => isAllowed)).toHaveLength(POINTS);
    }
    for (const { close } of limits) await close();
  });
});

describe('when a master dies', () => {
  it('the cache and the limits go on at once, and are shared again when its replica has taken over', async () => {
    const store = createStore();
    const { limiter, waitUntilShared, close } = createLimits();
    await waitUntilShared();
    const key = 'a key of the master that dies';
    await put(store, key, 'before');
    const place = await cluster.masterOf(PREFIX + key);
    await cluster.masters[place]?.kill();

    const startedAt = performance.now();
    const load = async () => ({ bytes: Buffer.from('loaded'), etag: '"tag"' });
    const answer = await createCache(store).getOrLoad(key, { version: '1.1', isBypass: false, load });
    expect(answer.bytes.toString()).toBe('loaded');
    for (const client of KEYS) expect((await limiter.spend(`survivor ${client}`, 1)).isAllowed).toBe(true);
    // Each of these calls alone would last longer if it waited for the dead master's successor.
    expect(performance.now() - startedAt).toBeLessThan(5_000);

    await waitForTakeover(cluster.replicas[place]);
    await put(store, key, 'after');
    await waitUntilShared();
    await Promise.all([store.close(), close()]);
  });
});

function createStore(): SharedStore {
  return createRedisStore({ url: cluster.url, prefix: PREFIX, log, onCommand: () => undefined });
}

function createCache(shared: SharedStore) {
  return createAnswerCache({ shared, now: () => Date.now(), onOutcome: () => undefined });
}

/** The limiter of one process, and a wait until it counts every client in the cluster. */
function createLimits(): { limiter: RateLimiter; waitUntilShared(): Promise<void>; close(): Promise<void> } {
  const redis = createRedis({ url: cluster.url, name: 'test', log, commandTimeoutMs: 500 });
  const modes: string[] = [];
  const limiter = createRateLimiter({
    ...{ points: POINTS, windowSeconds: 600, redis, instanceCount: 1, log },
    onSpend: ({ mode }) => modes.push(mode),
  });
  return {
    limiter,
    async waitUntilShared() {
      const spendOnEveryMaster = async (): Promise<readonly string[]> => {
        modes.length = 0;
        for (const key of KEYS) await limiter.spend(`probe ${key}`, 1);
        return [...new Set(modes)];
      };
      await expect.poll(spendOnEveryMaster, PATIENCE).toEqual(['redis']);
    },
    close: () => closeRedis(redis),
  };
}

/** Writes until it can be read back. */
async function put(store: SharedStore, key: string, text: string): Promise<void> {
  await expect
    .poll(async () => {
      store.set(key, Buffer.from(text), 60_000);
      return (await store.get(key))?.toString();
    }, PATIENCE)
    .toBe(text);
}
