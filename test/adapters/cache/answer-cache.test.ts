import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createAnswerCache } from '../../../src/adapters/cache/answer-cache.ts';
import type { AnswerCache, CacheOutcome, RenderedAnswer, SharedStore } from '../../../src/adapters/cache.ts';
import { AppError } from '../../../src/domain/errors.ts';

const DOWN = new AppError('database_unavailable', 'down');

type Setup = {
  readonly cache: AnswerCache;
  readonly outcomes: readonly CacheOutcome[];
  /** Moves the clock of the cache. */
  pass(ms: number): void;
};

function setup(shared?: SharedStore): Setup {
  let now = 1_795_262_400_000;
  const outcomes: CacheOutcome[] = [];
  const cache = createAnswerCache({ shared, now: () => now, onOutcome: (outcome) => outcomes.push(outcome) });
  const pass = (ms: number): void => {
    now += ms;
  };
  return { cache, outcomes, pass };
}

/** Loads `1`, `2`, ... and counts them. */
function counting(): { load(): Promise<RenderedAnswer>; count(): number } {
  let count = 0;
  return {
    load: async () => {
      count += 1;
      const bytes = Buffer.from(String(count));
      await nextTurn();
      return { bytes, etag: `"${bytes}"` };
    },
    count: () => count,
  };
}

const request = (load: () => Promise<RenderedAnswer>, version = '1.1') => ({ version, isBypass: false, load });
const fail = (error: unknown) => request(() => Promise.reject(error));
const text = ({ bytes }: { bytes: Buffer }): string => bytes.toString();

describe('an answer', () => {
  it('is made once and given out again with its age for ten seconds, about', async () => {
    const { cache, pass } = setup();
    const { load } = counting();
    expect(await cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'miss', ageMs: 0, etag: '"1"' });
    pass(8_500);
    const again = await cache.getOrLoad('a', request(load));
    expect(again).toMatchObject({ outcome: 'memory_hit', ageMs: 8_500, detail: null });
    expect(again.ttlMs).toBeGreaterThan(0);
    expect(again.ttlMs).toBeLessThan(2_600);
    expect(await cache.getOrLoad('b', request(load))).toMatchObject({ outcome: 'miss', etag: '"2"' });
  });

  it('goes out once it has expired while a new one is made, and is made anew when it is older', async () => {
    const { cache, pass } = setup();
    const { load, count } = counting();
    await cache.getOrLoad('a', request(load));
    pass(12_000);
    const stale = await Promise.all([1, 2, 3].map(() => cache.getOrLoad('a', request(load))));
    expect(stale.map(({ outcome, ttlMs }) => [outcome, ttlMs < 0])).toEqual(Array(3).fill(['stale', true]));
    await expect.poll(count).toBe(2);
    await expect.poll(async () => text(await cache.getOrLoad('a', request(load)))).toBe('2');
    pass(31_000);
    expect(await cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'miss', etag: '"3"' });
  });

  it('of another version is never given out as a fresh one', async () => {
    const { cache } = setup();
    const { load } = counting();
    await cache.getOrLoad('a', request(load, '1.1'));
    expect(await cache.getOrLoad('a', request(load, '2.1'))).toMatchObject({ outcome: 'miss', etag: '"2"' });
    expect(await cache.getOrLoad('a', request(load, '2.1'))).toMatchObject({ outcome: 'memory_hit', etag: '"2"' });
  });

  it('that took so long to make that a later one overtook it does not replace that', async () => {
    const { cache, pass } = setup();
    const slow = Promise.withResolvers<RenderedAnswer>();
    const early = cache.getOrLoad(
      'a',
      request(() => slow.promise, '1.1'),
    );
    await nextTurn();
    pass(10);
    await cache.getOrLoad('a', request(counting().load, '2.1'));
    slow.resolve({ bytes: Buffer.from('old'), etag: '"old"' });
    expect(text(await early)).toBe('old');
    expect(await cache.getOrLoad('a', request(counting().load, '2.1'))).toMatchObject({ outcome: 'memory_hit', etag: '"1"' });
  });

  it('is made anew for who wants none that is stored, and then is the one that is stored', async () => {
    const { cache } = setup();
    const { load } = counting();
    await cache.getOrLoad('a', request(load));
    const answer = await cache.getOrLoad('a', { ...request(load), isBypass: true });
    expect(answer).toMatchObject({ outcome: 'bypass', etag: '"2"' });
    expect(await cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'memory_hit', etag: '"2"' });
  });

  it('is as good as none after the clock was set back', async () => {
    const { cache, pass } = setup();
    const { load } = counting();
    await cache.getOrLoad('a', request(load));
    pass(-3_600_000);
    expect(await cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'miss' });
  });
});

describe('a herd', () => {
  it('fault 42: 500 equal requests cause one load, at the start and after the end of a lifetime', async () => {
    const { cache, outcomes, pass } = setup();
    const { load, count } = counting();
    const ask = () => Promise.all(Array.from({ length: 500 }, () => cache.getOrLoad('a', request(load))));
    const first = await ask();
    expect(new Set(first.map(text))).toEqual(new Set(['1']));
    expect(outcomes.filter((outcome) => outcome === 'joined')).toHaveLength(499);
    pass(60_000);
    expect(new Set((await ask()).map(text))).toEqual(new Set(['2']));
    expect(count()).toBe(2);
  });

  it('that asks for a new version does not get what was being made of the old one', async () => {
    const { cache } = setup();
    const slow = Promise.withResolvers<RenderedAnswer>();
    const old = cache.getOrLoad(
      'a',
      request(() => slow.promise, '1.1'),
    );
    expect(text(await cache.getOrLoad('a', request(counting().load, '2.1')))).toBe('1');
    slow.resolve({ bytes: Buffer.from('old'), etag: '"old"' });
    await old;
  });

  it('fault 43: what was made at one moment does not expire at one moment', async () => {
    const { cache, outcomes, pass } = setup();
    const { load } = counting();
    const keys = Array.from({ length: 1_000 }, (_, index) => `wallet ${index}`);
    for (const key of keys) await cache.getOrLoad(key, request(load));
    const expired: number[] = [];
    for (let second = 0; second < 8; second++) {
      pass(second === 0 ? 8_900 : 300);
      const before = outcomes.length;
      for (const key of keys) await cache.getOrLoad(key, { ...request(() => Promise.reject(new Error('not now'))) });
      expired.push(outcomes.slice(before).filter((outcome) => outcome === 'stale').length);
    }
    expect(expired[0]).toBe(0);
    expect(expired.at(-1)).toBe(1_000);
    const steps = expired.slice(1).map((count, index) => count - (expired[index] ?? 0));
    expect(Math.max(...steps)).toBeLessThan(400);
  });
});

describe('a load that fails', () => {
  it('is thrown to all who wait, and leaves nothing behind', async () => {
    const { cache } = setup();
    const error = new AppError('wallet_not_found', 'There is no such wallet.');
    const all = await Promise.allSettled([1, 2, 3].map(() => cache.getOrLoad('a', fail(error))));
    expect(all).toEqual(Array(3).fill({ status: 'rejected', reason: error }));
    expect(await cache.getOrLoad('a', request(counting().load))).toMatchObject({ outcome: 'miss' });
  });

  it('gives out the last answer for ten minutes if the database is at fault, and says so', async () => {
    const { cache, pass } = setup();
    const { load } = counting();
    await cache.getOrLoad('a', request(load));
    pass(590_000);
    const last = await cache.getOrLoad('a', { ...fail(DOWN), version: '2.1' });
    expect(last).toMatchObject({ outcome: 'fallback', etag: '"1"', ageMs: 590_000, detail: 'database_unavailable' });
    expect(last.ttlMs).toBeLessThan(-500_000);
    expect(await cache.getLast('a')).toMatchObject({ outcome: 'fallback', etag: '"1"' });
    pass(11_000);
    await expect(cache.getOrLoad('a', fail(DOWN))).rejects.toBe(DOWN);
    expect(await cache.getLast('a')).toBeUndefined();
  });

  it('makes even a young answer one that is not known to be fresh', async () => {
    const { cache, pass } = setup();
    await cache.getOrLoad('a', request(counting().load));
    pass(1_000);
    expect(await cache.getLast('a')).toMatchObject({ outcome: 'fallback', ageMs: 1_000, ttlMs: 0 });
    expect(await cache.getLast('b')).toBeUndefined();
  });

  it('gives out no last answer for any other fault', async () => {
    const { cache, pass } = setup();
    const gone = new AppError('wallet_not_found', 'There is no such wallet.');
    await cache.getOrLoad('a', request(counting().load));
    pass(60_000);
    await expect(cache.getOrLoad('a', fail(gone))).rejects.toBe(gone);
  });

  it('in the background, while an expired answer goes out, is no error', async () => {
    const { cache, pass } = setup();
    await cache.getOrLoad('a', request(counting().load));
    pass(15_000);
    expect(await cache.getOrLoad('a', fail(new Error('broken')))).toMatchObject({ outcome: 'stale' });
    await nextTurn();
    expect(await cache.getOrLoad('a', request(counting().load))).toMatchObject({ outcome: 'stale' });
  });

  it('is not waited for longer than three seconds while there is an answer', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const { cache, pass } = setup();
    const slow = Promise.withResolvers<RenderedAnswer>();
    const first = cache.getOrLoad(
      'a',
      request(async () => ({ bytes: Buffer.from('1'), etag: '"1"' })),
    );
    await first;
    pass(60_000);
    const waiting = cache.getOrLoad(
      'a',
      request(() => slow.promise, '2.1'),
    );
    await vi.advanceTimersByTimeAsync(3_000);
    expect(await waiting).toMatchObject({ outcome: 'fallback', etag: '"1"', ageMs: 60_000 });
    slow.resolve({ bytes: Buffer.from('2'), etag: '"2"' });
    await vi.advanceTimersByTimeAsync(0);
    expect(await cache.getOrLoad('a', fail(DOWN))).toMatchObject({ etag: '"2"' });
  });
});

it('keeps what is asked for and forgets the rest when there is too much of it', async () => {
  const { cache } = setup();
  const bytes = Buffer.alloc(1024 * 1024);
  const load = async () => ({ bytes, etag: '"1"' });
  for (let index = 0; index < 200; index++) {
    await cache.getOrLoad(`old ${index}`, request(load));
    await cache.getOrLoad('wanted', request(load));
  }
  expect(await cache.getOrLoad('wanted', request(load))).toMatchObject({ outcome: 'memory_hit' });
  expect(await cache.getOrLoad('old 0', request(load))).toMatchObject({ outcome: 'miss' });
  expect(await cache.getOrLoad('old 199', request(load))).toMatchObject({ outcome: 'memory_hit' });
});

describe('the level that processes share', () => {
  function memoryStore(): SharedStore & { readonly entries: Map<string, Buffer> } {
    const entries = new Map<string, Buffer>();
    return {
      entries,
      get: async (key) => entries.get(key),
      set: (key, bytes) => void entries.set(key, bytes),
      close: async () => undefined,
    };
  }

  it('spares another process the load while the answer is fresh, which it stays no longer than where it was made', async () => {
    const store = memoryStore();
    const [one, other] = [setup(store), setup(store)];
    const { load, count } = counting();
    await one.cache.getOrLoad('a', request(load));
    other.pass(5_000);
    expect(await other.cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'redis_hit', ageMs: 5_000 });
    expect(await other.cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'memory_hit', ageMs: 5_000 });
    other.pass(30_000);
    expect(await other.cache.getOrLoad('a', request(load))).toMatchObject({ outcome: 'miss' });
    expect(count()).toBe(2);
  });

  it('gives nothing of another version, but the last answer when the database cannot', async () => {
    const store = memoryStore();
    const [one, other, third] = [setup(store), setup(store), setup(store)];
    await one.cache.getOrLoad('a', request(counting().load));
    other.pass(1_000);
    expect(await other.cache.getOrLoad('a', { ...fail(DOWN), version: '2.1' })).toMatchObject({
      outcome: 'fallback',
      etag: '"1"',
    });
    expect(await third.cache.getLast('a')).toMatchObject({ outcome: 'fallback', etag: '"1"' });
  });
});
