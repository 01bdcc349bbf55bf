import { describe, expect, it, vi } from 'vitest';
import { hedge } from '../../../../src/lib/json-rpc/pool/hedge.ts';

const { signal } = new AbortController();

/** An attempt that ends only with its signal, or when told. */
function attempt<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let own: AbortSignal | undefined;
  const run = (given: AbortSignal): Promise<T> => {
    own = given;
    given.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
    return promise;
  };
  return { run, resolve, reject, isAborted: () => own?.aborted };
}

describe('a first attempt', () => {
  it('in time is the only one', async () => {
    const second = vi.fn();
    const result = await hedge({ first: async () => 'one', second, delayMs: 5_000, signal, onHedge: vi.fn() });
    expect(result).toBe('one');
    expect(second).not.toHaveBeenCalled();
  });

  it('that fails in time fails, for another endpoint to be tried', async () => {
    const second = vi.fn();
    const first = async (): Promise<string> => {
      throw new Error('no');
    };
    await expect(hedge({ first, second, delayMs: 5_000, signal, onHedge: vi.fn() })).rejects.toThrow('no');
    expect(second).not.toHaveBeenCalled();
  });

  it('that is late is waited for when there is no second to be had', async () => {
    const first = attempt<string>();
    const result = hedge({ first: first.run, second: () => undefined, delayMs: 1, signal, onHedge: vi.fn() });
    setTimeout(() => first.resolve('one'), 20);
    expect(await result).toBe('one');
  });
});

describe('a second attempt', () => {
  it('begins when the first is late; the first good answer counts and the loser is aborted', async () => {
    const first = attempt<string>();
    const onHedge = vi.fn();
    const second = async (): Promise<string> => 'two';
    expect(await hedge({ first: first.run, second: () => second, delayMs: 1, signal, onHedge })).toBe('two');
    expect(first.isAborted()).toBe(true);
    expect(onHedge).toHaveBeenCalledExactlyOnceWith({ won: true });
  });

  it('may lose', async () => {
    const first = attempt<string>();
    const second = attempt<string>();
    const onHedge = vi.fn();
    const begin = vi.fn(() => second.run);
    const result = hedge({ first: first.run, second: begin, delayMs: 1, signal, onHedge });
    await expect.poll(() => begin.mock.calls.length).toBe(1);
    first.resolve('one');
    expect(await result).toBe('one');
    expect(second.isAborted()).toBe(true);
    expect(onHedge).toHaveBeenCalledExactlyOnceWith({ won: false });
  });

  it('that fails leaves the first alone with it', async () => {
    const first = attempt<string>();
    const second = async (): Promise<string> => {
      setTimeout(() => first.resolve('one'), 10);
      throw new Error('two');
    };
    expect(await hedge({ first: first.run, second: () => second, delayMs: 1, signal, onHedge: vi.fn() })).toBe('one');
  });

  it('that fails as well makes the first failure the one to tell', async () => {
    const first = attempt<string>();
    const second = async (): Promise<string> => {
      setTimeout(() => first.reject(new Error('one')), 10);
      throw new Error('two');
    };
    await expect(hedge({ first: first.run, second: () => second, delayMs: 1, signal, onHedge: vi.fn() })).rejects.toThrow('one');
  });
});

it('the abort of the caller ends both', async () => {
  const caller = new AbortController();
  const first = attempt<string>();
  const second = attempt<string>();
  const begin = vi.fn(() => second.run);
  const result = hedge({ first: first.run, second: begin, delayMs: 1, signal: caller.signal, onHedge: vi.fn() });
  await expect.poll(() => begin.mock.calls.length).toBe(1);
  caller.abort();
  await expect(result).rejects.toThrow('aborted');
  expect([first.isAborted(), second.isAborted()]).toEqual([true, true]);
});
