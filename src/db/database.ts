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
import { checkRowSecurity, findRowSecurity, type RowSecurityFound } from './row-security.ts';
import type { Schema } from './schema.ts';
import { forTenant, type Sender } from './tenant-client.ts';
import { createTenantDb, type TenantDb } from './tenant-db.ts';

export type Database = {
  /** Every tenant's rows. Errors of its queries are AppErrors where the database cannot serve. */
  readonly db: Kysely<Schema>;
  /** What the stores are made with: `db`, and connections that see one tenant's rows. */
  readonly tenants: TenantDb;
  /** What keeps tenants apart, as it is found to be. */
  rowSecurity(): Promise<RowSecurityFound>;
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
  /** Connections that are open at once for all tenants together, and again for single ones, 8 unless told. */
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
const MAX_CONNECTIONS = 8;

/** Connections to Postgres, none opened yet. Every wait in it has an end. */
export function createDatabase(options: DatabaseOptions): Database {
  const { url, log, queryTimeoutMs = QUERY_TIMEOUT_MS, maxConnections: max = MAX_CONNECTIONS, onQuery } = options;
  const watch = createWatch(log);
  const pool = watch.add(createPool({ url, queryTimeoutMs, max, options: ALL_ROWS }));
  // Pings have a connection of their own: they neither wait behind a busy pool nor fill one whose database hangs.
  const pingPool = watch.add(createPool({ url, queryTimeoutMs: PING_TIMEOUT_MS, max: 1, options: ALL_ROWS }));
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: asKyselyPool(() => pool.connect(), onQuery) }) });
  const tenantPool = createTenantPool(db, (role) =>
    watch.add(createPool({ url, queryTimeoutMs, max, options: role === null ? '' : `-c role=${role}`, pipeline: true })),
  );
  const poolOf = (tenantId: string): PostgresPool =>
    asKyselyPool(tenantPool.connect, onQuery, (client) => forTenant(client, tenantId));
  const pools = (): readonly pg.Pool[] => [pool, ...tenantPool.opened()];
  const sum = (read: (one: pg.Pool) => number): number => pools().reduce((total, one) => total + read(one), 0);
  const close = async (): Promise<void> => {
    const ended = Promise.all([...pools(), pingPool].map((one) => one.end()));
    await Promise.race([ended, sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    watch.cutOff();
  };
  const tenants = createTenantDb(db, poolOf);
  let closed: Promise<void> | undefined;
  return {
    db,
    tenants,
    rowSecurity: () => checkRowSecurity(tenants),
    async ping() {
      await within(pingPool.query('select 1'), PING_LIMIT).catch((error: unknown) => {
        throw toDatabaseError(error);
      });
    },
    poolSize: () => ({
      total: sum(({ totalCount }) => totalCount),
      idle: sum(({ idleCount }) => idleCount),
      waiting: sum(({ waitingCount }) => waitingCount),
    }),
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** The policies of the tables ask for it. */
const ALL_ROWS = '-c app.scope=all';

type PoolOptions = {
  readonly url: string;
  readonly queryTimeoutMs: number;
  readonly max: number;
  /** Settings of the session. */
  readonly options: string;
  readonly pipeline?: boolean;
};

function createPool({ url, queryTimeoutMs, max, options, pipeline = false }: PoolOptions): pg.Pool {
  return new pg.Pool({
    ...withSettings(url, options),
    application_name: 'chainfolio',
    pipeline,
    max,
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    // The server's own limit comes first, so that it stops working when we stop waiting; ours holds when the server is frozen.
    statement_timeout: queryTimeoutMs,
    query_timeout: queryTimeoutMs + 1_000,
    idle_in_transaction_session_timeout: queryTimeoutMs + 5_000,
  });
}

/** Beside those that the URL asks for: they would win over ours. */
function withSettings(url: string, settings: string): { readonly connectionString: string; readonly options: string } {
  const parsed = URL.parse(url);
  const own = parsed?.searchParams.get('options') ?? null;
  if (parsed === null || own === null) return { connectionString: url, options: settings };
  parsed.searchParams.delete('options');
  return { connectionString: parsed.href, options: `${own} ${settings}` };
}

/** Hears of connections that break, and knows all that are open. */
function createWatch(log: Log): { add(pool: pg.Pool): pg.Pool; cutOff(): void } {
  const clients = new Set<pg.PoolClient>();
  const warn = (error: Error): void => log.warn({ err: error }, 'database connection lost');
  return {
    add(pool) {
      pool.on('error', warn);
      pool.on('connect', (client) => {
        clients.add(client);
        // A connection that breaks while a query holds it tells only itself; unheard, that ends the process.
        client.on('error', warn);
      });
      pool.on('remove', (client) => clients.delete(client));
      return pool;
    },
    cutOff() {
      for (const client of clients) client.end(() => undefined);
    },
  };
}

type TenantPool = { connect(): Promise<pg.PoolClient>; opened(): readonly pg.Pool[] };

/** Opened at the first use, since only the database knows as whom it may be used. */
function createTenantPool(db: Kysely<Schema>, open: (role: string | null) => pg.Pool): TenantPool {
  let pool: pg.Pool | undefined;
  return {
    async connect() {
      if (pool === undefined) {
        const { role } = await findRowSecurity(db);
        pool ??= open(role);
      }
      return pool.connect();
    },
    opened: () => (pool === undefined ? [] : [pool]),
  };
}

/** A pool as Kysely sees it: its errors in our words, and a connection that broke is thrown away instead of reused. */
function asKyselyPool(
  connect: () => Promise<pg.PoolClient>,
  onQuery: OnQuery | undefined,
  adapt: (client: Sender) => Sender = (client) => client,
): PostgresPool {
  return {
    options: {},
    // The pools are ended where they were made.
    end: async () => undefined,
    async connect() {
      const client = await connect().catch((error: unknown) => {
        throw toDatabaseError(error);
      });
      return mapErrors(client, adapt(client), onQuery);
    },
  };
}

function mapErrors(client: pg.PoolClient, sender: Sender, onQuery: OnQuery | undefined): PostgresPoolClient {
  let broken: unknown;
  const run = async (text: string, parameters: readonly unknown[]): Promise<unknown> => {
    if (broken !== undefined) throw broken;
    const startedAt = performance.now();
    let isGood = false;
    try {
      const result = await sender.query(text, [...parameters]);
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
