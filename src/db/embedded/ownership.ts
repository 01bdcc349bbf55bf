import pg from 'pg';

/** The right to use the embedded server, held by one process at a time for as long as it lives. */
export type Ownership = {
  /** Runs a statement as the server's superuser. */
  query(text: string): Promise<readonly unknown[]>;
  release(): Promise<void>;
};

export type Claim =
  | { readonly status: 'owned'; readonly ownership: Ownership }
  | { readonly status: 'taken'; readonly ownerPid: string }
  /** Starting or stopping: worth another try. */
  | { readonly status: 'not_ready' }
  | { readonly status: 'refused'; readonly reason: string };

type Server = { readonly port: number; readonly password: string };

const LOCK_KEY = 7_231_946;
const OWNER_NAME = 'chainfolio owner ';
const RECLAIM_AFTER_MS = 100;

/**
 * Tries to become the owner of a running server. The right is a lock of a session in that server: the end of the owner, however
 * sudden, ends the session and frees it, so that no file can go stale.
 */
export async function claimOwnership(server: Server): Promise<Claim> {
  const session = createSession(server);
  try {
    await session.connect();
    const { rows } = await session.query<{ locked: boolean }>(`select pg_try_advisory_lock(${LOCK_KEY}) as locked`);
    if (rows[0]?.locked === true) return { status: 'owned', ownership: hold(server, session) };
    const ownerPid = await findOwner(session);
    await session.end();
    // Gone between the two questions.
    return ownerPid === undefined ? { status: 'not_ready' } : { status: 'taken', ownerPid };
  } catch (error) {
    await session.end().catch(() => undefined);
    if (isPassing(error)) return { status: 'not_ready' };
    return { status: 'refused', reason: error instanceof Error ? error.message : String(error) };
  }
}

function createSession({ port, password }: Server): pg.Client {
  const session = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    database: 'postgres',
    application_name: `${OWNER_NAME}${process.pid}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
    keepAlive: true,
  });
  session.on('error', () => undefined);
  return session;
}

async function findOwner(session: pg.Client): Promise<string | undefined> {
  const { rows } = await session.query<{ application_name: string }>(
    `select a.application_name from pg_locks l join pg_stat_activity a using (pid)
     where l.locktype = 'advisory' and l.granted and l.objid = ${LOCK_KEY}`,
  );
  return rows[0]?.application_name.replace(OWNER_NAME, '');
}

/** Keeps the lock: a session that breaks (the server restarted itself after a crash) is replaced. */
function hold(server: Server, first: pg.Client): Ownership {
  let session = first;
  let isReleased = false;
  let timer: NodeJS.Timeout | undefined;
  const watch = (): void => {
    session.once('end', () => {
      if (!isReleased) timer = setTimeout(() => void reclaim(), RECLAIM_AFTER_MS).unref();
    });
  };
  const reclaim = async (): Promise<void> => {
    session = createSession(server);
    watch();
    try {
      await session.connect();
      await session.query(`select pg_try_advisory_lock(${LOCK_KEY})`);
    } catch {
      await session.end().catch(() => undefined);
    }
  };
  watch();
  return {
    async query(text) {
      return (await session.query(text)).rows;
    },
    async release() {
      isReleased = true;
      clearTimeout(timer);
      await session.end().catch(() => undefined);
    },
  };
}

const PASSING_STATES = new Set(['57P01', '57P02', '57P03', '53300']);

/** Whether it only says that the server is coming or going: broken connections do, silence and refusals do not. */
function isPassing(error: unknown): boolean {
  if (!(error instanceof Error) || error.message.includes('timeout')) return false;
  return !(error instanceof pg.DatabaseError) || PASSING_STATES.has(error.code ?? '');
}
