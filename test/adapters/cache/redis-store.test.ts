import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createAnswerCache } from '../../../src/adapters/cache/answer-cache.ts';
import { createRedisStore } from '../../../src/adapters/cache/redis-store.ts';
import type { AnswerCache, CachedAnswer, SharedStore } from '../../../src/adapters/cache.ts';
import { type RedisServer, startRedisServer } from '../../support/redis-server.ts';

const PREFIX = 'test:';

let redis: RedisServer;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.close());

function openStore(server = redis): SharedStore {
  const log = { info: () => undefined, warn: () => undefined };
  const store = createRedisStore({ url: server.url, prefix: PREFIX, log, onCommand: () => undefined });
  onTestFinished(() => store.close());
  return store;
}

function openCache(store: SharedStore): AnswerCache {
  return createAnswerCache({ shared: store, now: Date.now, onOutcome: () => undefined });
}

/** Resolves when what one writes can be read back, by whichever connection. */
async function untilUsable(store: SharedStore, key = 'probe'): Promise<void> {
  const bytes = randomBytes(8);
  await expect
    .poll(
      async () => {
        store.set(key, bytes, 60_000);
        return (await store.get(key))?.equals(bytes);
      },
      { timeout: 20_000, interval: 20 },
    )
    .toBe(true);
}

const load = async () => ({ bytes: Buffer.from('loaded'), etag: '"tag"' });
let keys = 0;
/** Asks for what nobody asked for before; answers with the time it took too. */
async function ask(cache: AnswerCache, key = `key ${++keys}`): Promise<CachedAnswer & { ms: number }> {
  const startedAt = performance.now();
  const answer = await cache.getOrLoad(key, { version: '1.1', isBypass: false, load });
  return { ...answer, ms: performance.now() - startedAt };
}

it('gives one process what another one made, and lets it go in time', async () => {
  const [one, other] = [openStore(), openStore()];
  await Promise.all([untilUsable(one), untilUsable(other, 'other')]);
  await ask(openCache(one), 'shared');
  await expect.poll(() => redis.admin.pttl(`${PREFIX}shared`)).toBeGreaterThan(590_000);
  expect(await ask(openCache(other), 'shared')).toMatchObject({ outcome: 'redis_hit', etag: '"tag"' });
});

describe('a Redis that fails costs no answer', () => {
  it('fault 25: frozen, it is waited for a moment, then not at all, and is used again when it thaws', async () => {
    const store = openStore();
    const cache = openCache(store);
    await untilUsable(store);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const first = await ask(cache);
    expect(first).toMatchObject({ outcome: 'miss', bytes: Buffer.from('loaded') });
    // 100 ms by design, on a machine that has nothing else to do.
    expect(first.ms).toBeLessThan(1_000);
    await ask(cache);
    const startedAt = performance.now();
    for (let index = 0; index < 200; index++) expect((await ask(cache)).outcome).toBe('miss');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    redis.thaw();
    await untilUsable(store);
  });

  it('fault 26: killed, it is not waited for, and is used again when it is back', async () => {
    const store = openStore();
    const cache = openCache(store);
    await untilUsable(store);
    await redis.kill();
    const startedAt = performance.now();
    for (let index = 0; index < 100; index++) expect((await ask(cache)).outcome).toBe('miss');
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await redis.restart();
    await untilUsable(store);
  });

  it('fault 26: flushed, it has forgotten', async () => {
    const store = openStore();
    await untilUsable(store);
    await ask(openCache(store), 'flushed');
    await expect.poll(() => redis.admin.exists(`${PREFIX}flushed`)).toBe(1);
    await redis.admin.flushall();
    expect(await ask(openCache(store), 'flushed')).toMatchObject({ outcome: 'miss' });
  });

  it('fault 26: read-only after a failover, it is still read', async () => {
    const store = openStore();
    await untilUsable(store);
    await ask(openCache(store), 'kept');
    await expect.poll(() => redis.admin.exists(`${PREFIX}kept`)).toBe(1);
    await redis.admin.config('SET', 'replica-serve-stale-data', 'yes');
    await redis.admin.replicaof('127.0.0.1', 9);
    onTestFinished(async () => void (await redis.admin.replicaof('NO', 'ONE')));
    for (let index = 0; index < 5; index++) expect((await ask(openCache(store))).outcome).toBe('miss');
    expect(await ask(openCache(store), 'kept')).toMatchObject({ outcome: 'redis_hit' });
  });

  it('fault 27: full, it takes nothing and gives what it has', async () => {
    const full = await startRedisServer({ args: ['--maxmemory-policy', 'noeviction'] });
    onTestFinished(() => full.close());
    const store = openStore(full);
    await untilUsable(store);
    await ask(openCache(store), 'early');
    await expect.poll(() => full.admin.exists(`${PREFIX}early`)).toBe(1);
    await full.admin.config('SET', 'maxmemory', '1');
    for (let index = 0; index < 20; index++) expect((await ask(openCache(store), `late ${index}`)).outcome).toBe('miss');
    expect(await full.admin.exists(`${PREFIX}late 19`)).toBe(0);
    expect(await ask(openCache(store), 'early')).toMatchObject({ outcome: 'redis_hit' });
  });

  it('dead from the start, it is a missing level', async () => {
    const dead = await startRedisServer();
    await dead.close();
    const cache = openCache(openStore(dead));
    expect((await ask(cache, 'a')).outcome).toBe('miss');
    expect((await ask(cache, 'a')).outcome).toBe('memory_hit');
  });
});

describe('what others left under our keys', () => {
  it.each<[string, (key: string) => Promise<unknown>]>([
    ['nothing at all', (key) => redis.admin.set(key, '')],
    ['a text', (key) => redis.admin.set(key, '{"total_value":"1000000"}')],
    ['random bytes', (key) => redis.admin.set(key, randomBytes(300))],
    ['more bytes than anybody should read', (key) => redis.admin.set(key, Buffer.alloc(32 * 1024 * 1024, 1))],
    ['another type', (key) => redis.admin.lpush(key, 'a', 'b')],
  ])('is a miss: %s', async (name, put) => {
    const store = openStore();
    await untilUsable(store);
    await put(PREFIX + name);
    expect(await ask(openCache(store), name)).toMatchObject({ outcome: 'miss', bytes: Buffer.from('loaded') });
    // And the next process finds what we put in its place, unless it is of another type.
    if (name !== 'another type') await expect.poll(async () => (await store.get(name))?.includes('loaded')).toBe(true);
  });
});
