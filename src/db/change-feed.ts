import type { Kysely } from 'kysely';
import { AppError } from '../domain/errors.ts';
import { DATA_CHANNEL, type DataVersion, SHARED_DATA_ID } from './data-version.ts';
import { EVENT_CHANNEL } from './events/record-events.ts';
import { createListening } from './listening.ts';
import type { Schema } from './schema.ts';
import { awaitVersion, createVersionMemory } from './version-memory.ts';

export type ChangeFeed = {
  /** The state of what a tenant sees as far as it is in memory, which it is only while the database tells us of every change. */
  knownVersion(tenantId: string): DataVersion | undefined;
  /**
   * The same, asked of the database where it is not in memory. Throws database_unavailable
   * within two seconds, and at once while the database is known not to answer.
   */
  currentVersion(tenantId: string): Promise<DataVersion>;
  /** What is committed now, asked of the database in any case. */
  askVersion(tenantId: string): Promise<DataVersion>;
  /** Forgets what is known of a tenant after a write of our own, which the next answer has to show even before the database has told us of it. */
  forget(tenantId: string): void;
  /** Calls back when a refresh has ended in any process, and when that may have been missed. Gives back how to stop that. */
  onRefreshEnded(id: string, listener: () => void): () => void;
  /** Calls back with a tenant and the number of its last event whenever there are new ones, and with nothing when some may have been missed. */
  onEvents(listener: (news?: { readonly tenantId: string; readonly seq: bigint }) => void): void;
  /** Calls back with the tenant whose data have changed, and with nothing when those of all may have. */
  onChange(listener: (tenantId?: string) => void): void;
  /** Whether the database tells us of changes. */
  isLive(): boolean;
  start(): void;
  close(): Promise<void>;
};

type ChangeFeedOptions = {
  readonly url: string;
  /** For asking; not the one of the stores, so that neither waits for the other's connections. */
  readonly db: Kysely<Schema>;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

/** Where the end of a refresh is told, by its id. */
export const REFRESH_CHANNEL = 'chainfolio_refresh';

/** How long a reader waits for the version: a busy database answers late, and is no reason for an old answer. */
const PATIENCE_MS = 2_000;
/** The least time between two questions that nobody waits for. */
const RETRY_MS = 250;
const NUMBER = /^\d{1,19}$/;

/** One connection that listens, and what it has told so far. */
export function createChangeFeed({ url, db, log }: ChangeFeedOptions): ChangeFeed {
  const memory = createVersionMemory(db, () => listening.isLive());
  const waiters = createWaiters();
  const eventListeners: Parameters<ChangeFeed['onEvents']>[0][] = [];
  const changeListeners: Parameters<ChangeFeed['onChange']>[0][] = [];
  const listening = createListening({
    url,
    channels: [DATA_CHANNEL, REFRESH_CHANNEL, EVENT_CHANNEL],
    log,
    onMessage(channel, payload) {
      const [id = '', number = ''] = payload.split(' ');
      if (channel === REFRESH_CHANNEL) waiters.wake(id);
      else if (!NUMBER.test(number)) return;
      else if (channel === EVENT_CHANNEL) for (const hear of eventListeners) hear({ tenantId: id, seq: BigInt(number) });
      else {
        memory.hear(id, BigInt(number));
        for (const hear of changeListeners) hear(id === SHARED_DATA_ID ? undefined : id);
      }
    },
    onChange(isLive) {
      memory.clear();
      if (!isLive) return;
      waiters.wakeAll();
      for (const hear of [...eventListeners, ...changeListeners]) hear();
    },
  });
  let isDown = false;
  let retryAt = 0;
  const ask = async (tenantId: string): Promise<DataVersion> => {
    try {
      const version = await awaitVersion(memory.ask(tenantId), PATIENCE_MS);
      isDown = false;
      return version;
    } catch (error) {
      isDown = true;
      retryAt = performance.now() + RETRY_MS;
      throw error;
    }
  };

  return {
    knownVersion: memory.recall,
    async currentVersion(tenantId) {
      const version = memory.recall(tenantId);
      if (version !== undefined) return version;
      if (!isDown) return ask(tenantId);
      // Somebody has to find out whether it answers again, but nobody has to wait for that.
      if (performance.now() >= retryAt && !memory.isAsking(tenantId)) ask(tenantId).catch(() => undefined);
      throw new AppError('database_unavailable', 'The database does not answer.');
    },
    askVersion(tenantId) {
      memory.forget(tenantId);
      return ask(tenantId);
    },
    forget: memory.forget,
    onRefreshEnded: waiters.add,
    onEvents: (listener) => void eventListeners.push(listener),
    onChange: (listener) => void changeListeners.push(listener),
    isLive: listening.isLive,
    start: listening.start,
    close: listening.close,
  };
}

type Waiters = { add: ChangeFeed['onRefreshEnded']; wake(id: string): void; wakeAll(): void };

function createWaiters(): Waiters {
  const waiters = new Map<string, Set<() => void>>();
  const wake = (id: string): void => {
    for (const listener of waiters.get(id) ?? []) listener();
  };
  return {
    add(id, listener) {
      const all = (waiters.get(id) ?? new Set()).add(listener);
      waiters.set(id, all);
      return () => {
        all.delete(listener);
        if (all.size === 0 && waiters.get(id) === all) waiters.delete(id);
      };
    },
    wake,
    wakeAll() {
      for (const id of [...waiters.keys()]) wake(id);
    },
  };
}
