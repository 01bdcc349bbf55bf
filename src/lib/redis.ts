import { Cluster, Redis } from 'ioredis';
import { createSeldom } from './seldom.ts';

/** A connection to Redis or to a cluster of it. */
export type RedisClient = Redis | Cluster;

export type RedisOptions = {
  /** One URL, or several nodes of one cluster, comma-separated. */
  readonly url: string;
  /** Names the connection in `CLIENT LIST`. */
  readonly name: string;
  readonly log: Log;
  /** The longest that one command may take, reconnecting included; null: for ever, for what waits by its nature. */
  readonly commandTimeoutMs: number | null;
  /** Called for every error of the connection. */
  readonly onError?: (error: Error) => void;
};

type Log = { warn(details: object, message: string): void };

const CONNECT_TIMEOUT_MS = 3_000;
/** A connection on which an answer is this late leads nowhere any more, whatever the network says: it is made anew. */
const DEAD_AFTER_MS = 5_000;
const MAX_RECONNECT_DELAY_MS = 1_000;
/** A server that is gone is reported by each attempt to reconnect; once in this time is enough for the log. */
const QUIET_MS = 30_000;

/**
 * A connection that is made in the background and for ever made anew. A command fails at once while there is none, and after the timeout when the
 * server is frozen; none is ever sent twice. Clients that wait (a queue's worker) have no timeout and keep their commands until the server is back.
 */
export function createRedis({ url, name, log, commandTimeoutMs, onError }: RedisOptions): RedisClient {
  const nodes = url.split(',').map((part) => part.trim());
  const waits = commandTimeoutMs === null;
  const common = {
    connectionName: name,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: 10_000,
    autoResendUnfulfilledCommands: waits,
    maxRetriesPerRequest: waits ? null : 0,
    ...(waits ? {} : { commandTimeout: commandTimeoutMs, socketTimeout: DEAD_AFTER_MS }),
  };
  const [first = ''] = nodes;
  const client =
    nodes.length === 1
      ? new Redis(first, { ...common, enableOfflineQueue: waits, enableAutoPipelining: !waits, retryStrategy: reconnectDelayMs })
      : new Cluster(nodes, {
          redisOptions: { ...common, ...credentialsOf(first) },
          enableOfflineQueue: waits,
          enableAutoPipelining: !waits,
          clusterRetryStrategy: reconnectDelayMs,
          slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
        });
  const mayTell = createSeldom(QUIET_MS);
  client.on('error', (error: Error) => {
    onError?.(error);
    if (mayTell()) log.warn({ err: error, redis: name }, 'redis connection failed');
  });
  return client;
}

/** Ends the connection, politely for a second, then at once. */
export async function closeRedis(client: RedisClient): Promise<void> {
  const timer = setTimeout(() => client.disconnect(), CLOSE_TIMEOUT_MS);
  try {
    await client.quit();
  } catch {
    client.disconnect();
  } finally {
    clearTimeout(timer);
  }
}

const CLOSE_TIMEOUT_MS = 1_000;

function reconnectDelayMs(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MS) * (0.75 + Math.random() / 2);
}

/** The nodes of a cluster that the first ones name are reached with the same login. */
function credentialsOf(url: string): { username?: string; password?: string; tls?: object } {
  const { username, password, protocol } = new URL(url);
  return {
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}
