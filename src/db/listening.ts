import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A connection that hears what the database tells on some channels, made anew for ever. */
export type Listening = {
  /** Whether everything that is told now is heard. */
  isLive(): boolean;
  start(): void;
  close(): Promise<void>;
};

type ListeningOptions = {
  readonly url: string;
  readonly channels: readonly string[];
  readonly log: Log;
  readonly onMessage: (channel: string, payload: string) => void;
  /** Called when it begins and when it ends to be live. What was told in between was heard by nobody. */
  readonly onChange: (isLive: boolean) => void;
};

type Log = { warn(details: object, message: string): void };

const CONNECT_TIMEOUT_MS = 3_000;
/** A database that is frozen says nothing, which is what one says in which nothing happens: so it is asked. */
const HEARTBEAT_MS = 2_000;
const QUERY_TIMEOUT_MS = 2_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 2_000;
const CLOSE_TIMEOUT_MS = 1_000;

export function createListening({ url, channels, log, onMessage, onChange }: ListeningOptions): Listening {
  const closing = new AbortController();
  let isLive = false;
  let ended: Promise<void> = Promise.resolve();

  const change = (live: boolean): void => {
    if (isLive === live) return;
    isLive = live;
    onChange(live);
  };
  /** Resolves when the service closes, throws when the connection is lost or nothing is heard over it. */
  const listenOnce = async (): Promise<void> => {
    const socket = new Socket();
    const client = createClient(url, socket);
    const lost = Promise.withResolvers<never>();
    lost.promise.catch(() => undefined);
    client.on('error', lost.reject);
    client.on('end', () => lost.reject(new Error('the connection was ended')));
    client.on('notification', ({ channel, payload = '' }) => onMessage(channel, payload));
    try {
      await Promise.race([subscribe(client, channels), lost.promise]);
      change(true);
      await Promise.race([beat(client, closing.signal), lost.promise]);
    } finally {
      change(false);
      await hangUp(client, socket);
    }
  };
  const run = async (): Promise<void> => {
    let pauseMs = FIRST_PAUSE_MS;
    while (!closing.signal.aborted) {
      const startedAt = performance.now();
      try {
        await listenOnce();
      } catch (error) {
        // A connection that lasted begins anew at once; one that cannot be had is tried ever more seldom.
        if (performance.now() - startedAt > MAX_PAUSE_MS * 2) pauseMs = FIRST_PAUSE_MS;
        if (pauseMs === FIRST_PAUSE_MS) log.warn({ err: error }, 'changes are not heard of; the database is asked instead');
      }
      if (closing.signal.aborted) return;
      await sleep(pauseMs * (0.75 + Math.random() / 2), undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      pauseMs = Math.min(MAX_PAUSE_MS, pauseMs * 2);
    }
  };

  return {
    isLive: () => isLive,
    start() {
      ended = run();
    },
    async close() {
      closing.abort();
      await ended;
    },
  };
}

function createClient(url: string, socket: Socket): pg.Client {
  return new pg.Client({
    connectionString: url,
    application_name: 'chainfolio-feed',
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    stream: () => socket,
  });
}

/** Listens, and makes sure that something is heard: a pooler between us and the server would take the subscription and lose it. */
async function subscribe(client: pg.Client, channels: readonly string[]): Promise<void> {
  await client.connect();
  const own = `chainfolio_hello_${randomUUID().replaceAll('-', '')}`;
  for (const channel of [...channels, own]) await client.query(`listen ${pg.escapeIdentifier(channel)}`);
  const heard = Promise.withResolvers<void>();
  const listen = ({ channel }: pg.Notification): void => {
    if (channel === own) heard.resolve();
  };
  client.on('notification', listen);
  try {
    await client.query('select pg_notify($1, $2)', [own, '']);
    const timer = setTimeout(() => heard.reject(new Error('nothing is heard over this connection')), QUERY_TIMEOUT_MS);
    await heard.promise.finally(() => clearTimeout(timer));
    await client.query(`unlisten ${pg.escapeIdentifier(own)}`);
  } finally {
    client.off('notification', listen);
  }
}

/** Asks the server from time to time. Throws when it does not answer. */
async function beat(client: pg.Client, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(HEARTBEAT_MS, undefined, { signal, ref: false }).catch(() => undefined);
    if (!signal.aborted) await client.query('select 1');
  }
}

/** Politely for a second; a server that is frozen never answers. */
async function hangUp(client: pg.Client, socket: Socket): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), CLOSE_TIMEOUT_MS);
  await Promise.race([
    client.end().catch(() => undefined),
    socket.destroyed ? undefined : once(socket, 'close').catch(() => undefined),
  ]);
  clearTimeout(timer);
  socket.destroy();
}
