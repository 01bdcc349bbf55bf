import { LRUCache } from 'lru-cache';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisClient } from './redis.ts';

/** What came of an attempt to spend points. */
export type SpendResult = {
  /** Whether the points were there. If not, none were taken. */
  readonly isAllowed: boolean;
  /** Points left until the window ends. */
  readonly remaining: number;
  /** Time until all points are back. */
  readonly resetMs: number;
};

/** Counts what each client spends in windows of fixed length, which begin with its first request. */
export type RateLimiter = {
  /** Points of one client and window. */
  readonly points: number;
  readonly windowSeconds: number;
  /** Takes points if there are enough of them left. More than there are in a whole window cost no more than all of those. Never throws. */
  spend(key: string, cost: number): Promise<SpendResult>;
};

export type RateLimiterOptions = {
  readonly points: number;
  readonly windowSeconds: number;
  /** Where all processes count together, over a connection that gives up in time; null: each counts for itself. */
  readonly redis: RedisClient | null;
  /** Processes among which clients are spread. While Redis fails each of them grants its share. */
  readonly instanceCount: number;
  readonly log: Log;
  /** Told of every attempt: where it was counted, and what came of it. */
  readonly onSpend?: (attempt: { readonly mode: 'redis' | 'memory'; readonly isAllowed: boolean }) => void;
};

type Log = { info(details: object, message: string): void; warn(details: object, message: string): void };

const KEY_PREFIX = 'chainfolio:limit';
/** How long Redis is left alone after it failed; then one attempt, which nobody waits for, finds out whether it is back. */
const PAUSE_MS = 1_000;

/** Clients that are counted at once; with more, whoever has been quiet for the longest is forgotten. Some 20 MB. */
const MAX_CLIENTS = 100_000;

/** Takes the points only if they are there, so that a request that was refused has cost nothing. Answers as the library's own script does. */
const SPEND_SCRIPT = `
redis.call('set', KEYS[1], 0, 'EX', ARGV[2], 'NX')
local wanted = tonumber(ARGV[1])
local spent = tonumber(redis.call('get', KEYS[1])) + wanted
if spent <= tonumber(ARGV[3]) then redis.call('incrby', KEYS[1], wanted) end
return {spent, redis.call('pttl', KEYS[1])}`;

/** A limiter that counts in Redis, and in this process when there is none or while it fails. */
export function createRateLimiter(options: RateLimiterOptions): RateLimiter {
  const { points, windowSeconds, redis, instanceCount, onSpend } = options;
  const share = redis === null ? points : Math.max(1, Math.floor(points / instanceCount));
  const spendHere = createMemoryCounter(share, windowSeconds);
  const spendShared = redis === null ? undefined : createSharedCounter(options, redis);
  const tell = (mode: 'redis' | 'memory', result: SpendResult): SpendResult => {
    onSpend?.({ mode, isAllowed: result.isAllowed });
    return result;
  };
  return {
    points,
    windowSeconds,
    async spend(key, cost) {
      const result = await spendShared?.(key, Math.min(cost, points));
      if (result !== undefined) return tell('redis', result);
      return tell('memory', await spendHere(key, Math.min(cost, share)));
    },
  };
}

type Counter<Answer> = (key: string, cost: number) => Promise<Answer>;

/** Counts in this process. The library's own counter would keep an entry and a timer for every client that comes, however many do. */
function createMemoryCounter(points: number, windowSeconds: number): Counter<SpendResult> {
  const windows = new LRUCache<string, { readonly spent: number; readonly endsAt: number }>({ max: MAX_CLIENTS });
  return async (key, cost) => {
    // Whole milliseconds, so that no rounding makes a window longer than it is.
    const now = Math.floor(performance.now());
    const known = windows.get(key);
    const { spent: before, endsAt } =
      known !== undefined && known.endsAt > now ? known : { spent: 0, endsAt: now + windowSeconds * 1000 };
    const isAllowed = before + cost <= points;
    const spent = isAllowed ? before + cost : before;
    windows.set(key, { spent, endsAt });
    return { isAllowed, remaining: points - spent, resetMs: endsAt - now };
  };
}

/** Answers undefined while Redis fails: at once, but for those who were waiting when it began to. */
function createSharedCounter(
  { points, windowSeconds, log }: RateLimiterOptions,
  redis: RedisClient,
): Counter<SpendResult | undefined> {
  const counter = new RateLimiterRedis({
    storeClient: redis,
    points,
    duration: windowSeconds,
    keyPrefix: KEY_PREFIX,
    customIncrTtlLuaScript: SPEND_SCRIPT,
    rejectIfRedisNotReady: true,
  });
  const read = createReader(points, windowSeconds);
  let isFailing = false;
  let nextAttemptAt = 0;
  const noteSuccess = (): void => {
    if (isFailing) log.info({}, 'rate limits are shared again');
    isFailing = false;
  };
  const noteFailure = (error: unknown): void => {
    if (!isFailing) log.warn({ err: error }, 'rate limits are counted by each process for itself: redis fails');
    isFailing = true;
    nextAttemptAt = performance.now() + PAUSE_MS;
  };
  const attempt: Counter<SpendResult | undefined> = async (key, cost) => {
    try {
      const result = await counter.consume(key, cost);
      noteSuccess();
      return read(result, cost);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) {
        noteSuccess();
        return read(refusal, cost);
      }
      noteFailure(refusal);
      return undefined;
    }
  };
  return async (key, cost) => {
    if (!isFailing) return attempt(key, cost);
    if (performance.now() >= nextAttemptAt) {
      nextAttemptAt = performance.now() + PAUSE_MS;
      void attempt(key, cost);
    }
    return undefined;
  };
}

/** The script tells what would have been spent, granted or not. */
function createReader(points: number, windowSeconds: number): (result: RateLimiterRes, cost: number) => SpendResult {
  const windowMs = windowSeconds * 1000;
  return ({ consumedPoints, msBeforeNext }, cost) => {
    const isAllowed = consumedPoints <= points;
    const spent = isAllowed ? consumedPoints : consumedPoints - cost;
    // The clock of the machine may jump; the window stays as long as it is.
    return { isAllowed, remaining: Math.max(points - spent, 0), resetMs: Math.min(Math.max(msBeforeNext, 0), windowMs) };
  };
}
