import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createTurns, type Turns } from '../../src/lib/turns.ts';

const LIMITS = { maxRunning: 4, maxRunningEach: 2, maxWaiting: 100, maxWaitingEach: 50, maxWaitMs: 10_000 };

/** Works that end when they are told to, and the order in which they began. */
function createWorld(limits: Partial<typeof LIMITS> = {}) {
  const turns = createTurns({ ...LIMITS, ...limits });
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const gone = new AbortController();
  const ask = (owner: string, signal = gone.signal): Promise<unknown> =>
    turns.run(
      owner,
      () => {
        begun.push(owner);
        return new Promise<void>((resolve) => ends.push(resolve));
      },
      signal,
    );
  return { begun, ends, ask, turns };
}

async function spend(turns: Turns, owner: string, ms: number): Promise<void> {
  await turns.run(owner, () => sleep(ms), new AbortController().signal);
}

describe('turns', () => {
  it('are given at once while there is room, and no owner has more than its part of it', async () => {
    const { begun, ends, ask } = createWorld();
    for (const owner of ['a', 'a', 'a', 'a', 'b', 'c']) void ask(owner);
    await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'a']);
    for (const end of ends.slice(0, 3)) end();
    await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'a', 'a']);
  });

  it('are those of whoever has used least: a newcomer goes before all that wait', async () => {
    const { begun, ends, ask } = createWorld({ maxRunning: 1 });
    for (let i = 0; i < 20; i++) void ask('greedy');
    await sleep(60);
    void ask('modest');
    ends[0]?.();
    await expect.poll(() => begun).toEqual(['greedy', 'modest']);
  });

  it('are kept from whoever has used more as long as others are at work, though there is room', async () => {
    const { begun, ends, ask, turns } = createWorld();
    await spend(turns, 'greedy', 500);
    void ask('modest');
    void ask('greedy');
    for (let turn = 0; turn < 40; turn++) await nextTurn();
    expect(begun).toEqual(['modest']);
    ends[0]?.();
    await expect.poll(() => begun).toEqual(['modest', 'greedy']);
  });

  it('come for whoever has used more once the others have used as much', async () => {
    const { begun, ask, turns } = createWorld();
    await spend(turns, 'greedy', 200);
    void ask('modest');
    void ask('greedy');
    await expect.poll(() => begun, { timeout: 5_000 }).toEqual(['modest', 'greedy']);
  });

  it('are not saved up: who comes with many at once does not go before one who was there all the time', async () => {
    const { begun, ask, turns } = createWorld();
    await spend(turns, 'modest', 300);
    for (let i = 0; i < 20; i++) void ask('newcomer');
    await sleep(60);
    void ask('modest');
    for (let turn = 0; turn < 40; turn++) await nextTurn();
    expect(begun).toEqual(['newcomer', 'newcomer', 'modest']);
  });

  it('come at once for whoever has nothing else in hand, though another has just begun', () => {
    const { begun, ask } = createWorld();
    for (const owner of ['greedy', 'greedy', 'modest']) void ask(owner);
    expect(begun).toEqual(['greedy', 'modest']);
  });

  it('of those who use about the same are given side by side', async () => {
    const { begun, ask, turns } = createWorld();
    await spend(turns, 'a', 5);
    void ask('b');
    void ask('a');
    await expect.poll(() => begun).toEqual(['b', 'a']);
  });
});

describe('what cannot wait', () => {
  it('is refused at once: to one owner when it has too much waiting, to all when everybody has', async () => {
    const { ask, begun } = createWorld({ maxRunningEach: 1, maxWaitingEach: 2, maxWaiting: 3 });
    for (let i = 0; i < 3; i++) void ask('a');
    await expect(ask('a')).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 });
    void ask('b');
    await expect.poll(() => begun).toEqual(['a', 'b']);
    void ask('b');
    await expect(ask('b')).rejects.toMatchObject({ code: 'service_unavailable', retryAfterMs: 1_000 });
  });

  it('is refused when its turn does not come in time', async () => {
    const { ask } = createWorld({ maxRunning: 1, maxRunningEach: 1, maxWaitMs: 30 });
    void ask('a');
    await expect(ask('a')).rejects.toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 });
    await expect(ask('b')).rejects.toMatchObject({ code: 'service_unavailable', retryAfterMs: 1_000 });
  });

  it('leaves its place when its client goes, and was never begun', async () => {
    const { begun, ends, ask } = createWorld({ maxRunningEach: 1 });
    void ask('a');
    const leaving = new AbortController();
    const left = ask('a', leaving.signal);
    void ask('a');
    leaving.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    await expect(ask('a', leaving.signal)).rejects.toThrow('gone');
    ends[0]?.();
    await expect.poll(() => begun).toEqual(['a', 'a']);
  });

  it('is not lost when work fails: the next one follows', async () => {
    const turns = createTurns({ ...LIMITS, maxRunningEach: 1 });
    const { signal } = new AbortController();
    const failing = turns.run('a', () => Promise.reject(new Error('broken')), signal);
    const next = turns.run('a', async () => 'done', signal);
    await expect(failing).rejects.toThrow('broken');
    expect(await next).toBe('done');
  });
});

it('work that never waits leaves room for others between: timers and sockets are heard', async () => {
  const { turns } = createWorld();
  let done = 0;
  const all = Promise.all(Array.from({ length: 40 }, () => turns.run('a', async () => void done++)));
  for (let turn = 0; turn < 40; turn++) await nextTurn();
  expect(done).toBeLessThan(10);
  await all;
  expect(done).toBe(40);
});

it('owners who came once are forgotten, and thousands of them take their turns in good time', async () => {
  const turns = createTurns({ ...LIMITS, maxWaiting: 10_000 });
  const { signal } = new AbortController();
  const done = Array.from({ length: 3_000 }, (_, index) => turns.run(`owner ${index}`, async () => index, signal));
  expect((await Promise.all(done)).length).toBe(3_000);
}, 20_000);
