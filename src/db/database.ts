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
import { leavesConnectionBroken, toDatabaseError } from './pg-errors.ts';
import type { Schema } from './schema.ts';

export type Database = {
  /** What the stores are made with. Errors of its queries are AppErrors where the database cannot serve. */
  readonly db: Kysely<Schema>;
  /** Resolves when the database answers; throws database_unavailable within three seconds otherwise. */
  ping(): Promise<void>;
  /** Waits for queries in flight, five seconds at most, then cuts them off. */
  close(): Promise<void>;
};

type DatabaseOptions = {
  readonly url: string;
  readonly log: Log;
  /** The longest that one statement may take, 10 seconds unless told. */
  readonly queryTimeoutMs?: number;
};

type Log = { warn(details: object, message: string): void };

const CONNECT_TIMEOUT_MS = 3_000;
const QUERY_TIMEOUT_MS = 10_000;
const PING_TIMEOUT_MS = 3_000;
const CLOSE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 10;

/** A pool of connections to Postgres, none opened yet. Every wait in it has an end. */
export function createDatabase({ url, log, queryTimeoutMs = QUERY_TIMEOUT_MS }: DatabaseOptions): Database {
  const pool = createPool(url, queryTimeoutMs);
  const clients = new Set<pg.PoolClient>();
  const warn = (error: Error): void => log.warn({ err: error }, 'database connection lost');
  pool.on('error', warn);
  pool.on('connect', (client) => {
    clients.add(client);
    // A connection that breaks while a query holds it tells only itself; unheard, that ends the process.
    client.on('error', warn);
  });
  pool.on('remove', (client) => clients.delete(client));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: mapErrors(pool) }) });
  return {
    db,
    async ping() {
      const timeUp = sleep(PING_TIMEOUT_MS, undefined, { ref: false }).then(() => {
        throw new AppError('database_unavailable', 'The database does not answer.');
      });
      await Promise.race([timeUp, pool.query('select 1')]).catch((error: unknown) => {
        throw toDatabaseError(error);
      });
    },
    async close() {
      await Promise.race([db.destroy(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      for (const client of clients) client.end(() => undefined);
    },
  };
}

function createPool(url: string, queryTimeoutMs: number): pg.Pool {
  return new pg.Pool({
    connectionString: url,
    application_name: 'chainfolio',
    max: MAX_CONNECTIONS,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // The server's own limit comes first, so that it stops working when we stop waiting; ours holds when the server is frozen.
    statement_timeout: queryTimeoutMs,
    query_timeout: queryTimeoutMs + 1_000,
    idle_in_transaction_session_timeout: queryTimeoutMs + 5_000,
  });
}

/** The pool as Kysely sees it: its errors in our words, and a connection that broke is thrown away instead of reused. */
function mapErrors(pool: pg.Pool): PostgresPool {
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw toDatabaseError(error);
      });
      return mapClientErrors(client);
    },
  };
}

function mapClientErrors(client: pg.PoolClient): PostgresPoolClient {
  let broken: unknown;
  const run = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (broken !== undefined) throw broken;
    try {
      return await client.query(text, [...parameters]);
    } catch (error) {
      const mapped = toDatabaseError(error);
      if (leavesConnectionBroken(error)) broken = mapped;
      throw mapped;
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
