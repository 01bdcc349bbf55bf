import { closeRedis, createRedis } from '../../lib/redis.ts';
import type { SharedStore } from '../cache.ts';
import { MAX_ENTRY_BYTES } from './entry-codec.ts';

type RedisStoreOptions = {
  /** One URL, or several nodes of one cluster, comma-separated. */
  readonly url: string;
  /** Keeps apart what releases with different answers store. */
  readonly prefix: string;
  readonly log: Log;
  readonly onCommand: (command: { readonly isGood: boolean; readonly seconds: number }) => void;
};

type Log = { info(details: object, message: string): void; warn(details: object, message: string): void };

/** The longest that a reader waits for Redis. */
const COMMAND_TIMEOUT_MS = 100;
/** So many failures in a row, and Redis is left alone for a while; then one command at a time finds out whether it is back. */
const MAX_FAILURES = 2;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 2_000;

/** Redis as a store that may lose anything at any time. One that does not answer costs a tenth of a second a few times, then nothing. */
export function createRedisStore({ url, prefix, log, onCommand }: RedisStoreOptions): SharedStore {
  const client = createRedis({ url, name: 'chainfolio-cache', log, commandTimeoutMs: COMMAND_TIMEOUT_MS });
  const breaker = createBreaker({ log, onCommand });
  return {
    // A range, so that whatever lies under the key can never fill our memory.
    get: (key) => breaker.run(() => client.getrangeBuffer(prefix + key, 0, MAX_ENTRY_BYTES)),
    set(key, bytes, ttlMs) {
      if (bytes.length <= MAX_ENTRY_BYTES)
        void breaker.run(() => client.set(prefix + key, bytes, 'PX', Math.max(1, Math.ceil(ttlMs))));
    },
    close: () => closeRedis(client),
  };
}

type Breaker = { run<T>(command: () => Promise<T>): Promise<T | undefined> };

function createBreaker({ log, onCommand }: Pick<RedisStoreOptions, 'log' | 'onCommand'>): Breaker {
  let failures = 0;
  let retryAt = 0;
  const noteFailure = (error: unknown): void => {
    failures += 1;
    if (failures < MAX_FAILURES) return;
    retryAt = performance.now() + pauseMs(failures);
    if (failures > MAX_FAILURES) return;
    log.warn({ err: error }, 'redis does not answer; the cache does without it');
  };
  const noteAnswer = (): void => {
    if (failures >= MAX_FAILURES) log.info({}, 'redis answers again');
    failures = 0;
  };
  return {
    async run(command) {
      if (failures >= MAX_FAILURES) {
        if (performance.now() < retryAt) return undefined;
        // One command finds out; the others go on without.
        retryAt = performance.now() + COMMAND_TIMEOUT_MS * 2;
      }
      const startedAt = performance.now();
      const note = (isGood: boolean): void => onCommand({ isGood, seconds: (performance.now() - startedAt) / 1000 });
      try {
        const answer = await command();
        note(true);
        noteAnswer();
        return answer;
      } catch (error) {
        note(false);
        // A refusal (out of memory, wrong type, still loading) comes at once and costs nobody a wait.
        if (isRefusal(error)) noteAnswer();
        else noteFailure(error);
        return undefined;
      }
    },
  };
}

function pauseMs(failures: number): number {
  return Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(failures - MAX_FAILURES, 10));
}

function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}
