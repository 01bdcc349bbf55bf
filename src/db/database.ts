import { setTimeout as sleep } from 'node:timers/promises';
import {
  Kysely,
  type PostgresCursor,
  PostgresDialect,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresQueryResult,
} from 'kysely';
import pg from 'pg';
import { AppError } from '../domain/errors.ts';
import { within } from '../lib/within.ts';
import { leavesConnectionBroken, toDatabaseError } from './pg-errors.ts';
import type { Schema } from './schema.ts';

export type Database = {
  /** What the stores are made with. Errors of its queries are AppErrors where the database cannot serve. */
  readonly db: Kysely<Schema>;
  /** Resolves when the database answers; throws database_unavailable within three seconds otherwise. */
  ping(): Promise<void>;
  /** Connections now: open, open but not in use, and queries that wait for one. */
  poolSize(): { readonly total: number; readonly idle: number; readonly waiting: number };
  /** Waits for queries in flight, five seconds at most, then cuts them off. */
  close(): Promise<void>;
};

type DatabaseOptions = {
  readonly url: string;
  readonly log: Log;
  /** The longest that one statement may take, 10 seconds unless told. */
  readonly queryTimeoutMs?: number;
  /** Connections that are open at once, 10 unless told. */
  readonly maxConnections?: number;
  /** Hears of each statement, how long it took and whether it went well. */
  readonly onQuery?: OnQuery;
};

type OnQuery = (query: { readonly isGood: boolean; readonly seconds: number }) => void;

type Log = { warn(details: object, message: string): void };

const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 10_000;
const PING_TIMEOUT_MS = 3_000;
const PING_LIMIT = {
  timeoutMs: PING_TIMEOUT_MS,
  tooLate: () => new AppError('database_unavailable', 'The database does not answer.'),
};
const CLOSE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 10;

/** A pool of connections to Postgres, none opened yet. Every wait in it has an end. */
export function createDatabase(options: DatabaseOptions): Database {
  const { url, log, queryTimeoutMs = QUERY_TIMEOUT_MS, maxConnections = MAX_CONNECTIONS, onQuery } = options;
  const pool = createPool(url, { queryTimeoutMs, max: maxConnections });
  // Pings have a connection of their own: they neither wait behind a busy pool nor fill one whose database hangs.
  const pingPool = createPool(url, { queryTimeoutMs: PING_TIMEOUT_MS, max: 1 });
  const clients = new Set<pg.PoolClient>();
  const warn = (error: Error): void => log.warn({ err: error }, 'database connection lost');
  for (const one of [pool, pingPool]) {
    one.on('error', warn);
    one.on('connect', (client) => {
      clients.add(client);
      // A connection that breaks while a query holds it tells only itself; unheard, that ends the process.
      client.on('error', warn);
    });
    one.on('remove', (client) => clients.delete(client));
  }
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: mapErrors(pool, onQuery) }) });
  const close = async (): Promise<void> => {
    await Promise.race([Promise.all([db.destroy(), pingPool.end()]), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    for (const client of clients) client.end(() => undefined);
  };
  let closed: Promise<void> | undefined;
  return {
    db,
    async ping() {
      await within(pingPool.query('select 1'), PING_LIMIT).catch((error: unknown) => {
        throw toDatabaseError(error);
      });
    },
    poolSize: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

function createPool(url: string, { queryTimeoutMs, max }: { queryTimeoutMs: number; max: number }): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    application_name: 'chainfolio',
    // Rows of every tenant: the policies of the tables ask for it.
    options: '-c app.scope=all',
    max,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // The server's own limit comes first, so that it stops working when we stop waiting; ours holds when the server is frozen.
    statement_timeout: queryTimeoutMs,
    query_timeout: queryTimeoutMs + 1_000,
    idle_in_transaction_session_timeout: queryTimeoutMs + 5_000,
  });
}

/** The pool as Kysely sees it: its errors in our words, and a connection that broke is thrown away instead of reused. */
function mapErrors(pool: pg.Pool, onQuery: OnQuery | undefined): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw toDatabaseError(error);
      });
      return mapClientErrors(client, onQuery);
    },
  };
}

function mapClientErrors(client: pg.PoolClient, onQuery: OnQuery | undefined): PostgresPoolClient {
  let broken: unknown;
  const run = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (broken !== undefined) throw broken;
    const startedAt = performance.now();
    let isGood = false;
    try {
      const result = await client.query(text, [...parameters]);
      isGood = true;
      return result;
    } catch (error) {
      const mapped = toDatabaseError(error);
      if (leavesConnectionBroken(error)) broken = mapped;
      throw mapped;
    } finally {
      onQuery?.({ isGood, seconds: (performance.now() - startedAt) / 1000 });
    }
  };
  function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query(text: unknown, parameters: readonly unknown[] = []): unknown {
    if (typeof text === 'string') return run(text, parameters);
    throw new TypeError('cursors are not used');
  }
  return { query, release: (destroy) => client.release(destroy === true || broken !== undefined) };
}
