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
  /** Points of one client and window, unless it has its own. */
  readonly points: number;
  readonly windowSeconds: number;
  /**
   * Takes points if there are enough of them left. More than there are in a whole window cost no more than all of those. Never throws.
   * @param points What this client has in a window, where that is not what any has.
   */
  spend(key: string, cost: number, points?: number): Promise<SpendResult>;
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
/** Different numbers of points that are in use at once. */
const MAX_ALLOWANCES = 100;

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
  const shareOf = (all: number): number => (redis === null ? all : Math.max(1, Math.floor(all / instanceCount)));
  const spendHere = createMemoryCounter(windowSeconds);
  const spendShared = redis === null ? undefined : createSharedCounter(options, redis);
  const tell = (mode: 'redis' | 'memory', result: SpendResult): SpendResult => {
    onSpend?.({ mode, isAllowed: result.isAllowed });
    return result;
  };
  return {
    points,
    windowSeconds,
    async spend(key, cost, all = points) {
      const result = await spendShared?.({ key, cost: Math.min(cost, all), points: all });
      if (result !== undefined) return tell('redis', result);
      const share = shareOf(all);
      return tell('memory', await spendHere({ key, cost: Math.min(cost, share), points: share }));
    },
  };
}

type Spending = { readonly key: string; readonly cost: number; readonly points: number };
type Counter<Answer> = (spending: Spending) => Promise<Answer>;

/** Counts in this process. The library's own counter would keep an entry and a timer for every client that comes, however many do. */
function createMemoryCounter(windowSeconds: number): Counter<SpendResult> {
  const windows = new LRUCache<string, { readonly spent: number; readonly endsAt: number }>({ max: MAX_CLIENTS });
  return async ({ key, cost, points }) => {
    // Whole milliseconds, so that no rounding makes a window longer than it is.
    const now = Math.floor(performance.now());
    const known = windows.get(key);
    const { spent: before, endsAt } =
      known !== undefined && known.endsAt > now ? known : { spent: 0, endsAt: now + windowSeconds * 1000 };
    const isAllowed = before + cost <= points;
    const spent = isAllowed ? before + cost : before;
    windows.set(key, { spent, endsAt });
    // It may have had more of them when it spent them.
    return { isAllowed, remaining: Math.max(points - spent, 0), resetMs: endsAt - now };
  };
}

/** Answers undefined while Redis fails: at once, but for those who were waiting when it began to. */
function createSharedCounter({ windowSeconds, log }: RateLimiterOptions, redis: RedisClient): Counter<SpendResult | undefined> {
  const counters = new LRUCache<number, RateLimiterRedis>({ max: MAX_ALLOWANCES });
  /** The library has one for each number of points; what was spent is the same for all of them. */
  const counterOf = (points: number): RateLimiterRedis => {
    const known = counters.get(points);
    if (known !== undefined) return known;
    const made = new RateLimiterRedis({
      storeClient: redis,
      points,
      duration: windowSeconds,
      keyPrefix: KEY_PREFIX,
      customIncrTtlLuaScript: SPEND_SCRIPT,
      rejectIfRedisNotReady: true,
    });
    counters.set(points, made);
    return made;
  };
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
  const attempt: Counter<SpendResult | undefined> = async (spending) => {
    try {
      const result = await counterOf(spending.points).consume(spending.key, spending.cost);
      noteSuccess();
      return read(result, spending, windowSeconds);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) {
        noteSuccess();
        return read(refusal, spending, windowSeconds);
      }
      noteFailure(refusal);
      return undefined;
    }
  };
  return async (spending) => {
    if (!isFailing) return attempt(spending);
    if (performance.now() >= nextAttemptAt) {
      nextAttemptAt = performance.now() + PAUSE_MS;
      void attempt(spending);
    }
    return undefined;
  };
}

/** The script tells what would have been spent, granted or not. */
function read({ consumedPoints, msBeforeNext }: RateLimiterRes, { cost, points }: Spending, windowSeconds: number): SpendResult {
  const isAllowed = consumedPoints <= points;
  const spent = isAllowed ? consumedPoints : consumedPoints - cost;
  // The clock of the machine may jump; the window stays as long as it is.
  const resetMs = Math.min(Math.max(msBeforeNext, 0), windowSeconds * 1000);
  return { isAllowed, remaining: Math.max(points - spent, 0), resetMs };
}
