import type { EventRelay } from '../../adapters/event-relay.ts';
import type { EventStore } from '../../db/events/event-store.ts';
import type { StoredEvent } from '../../domain/events/event.ts';

/** Hears of a tenant's events one by one: each once, in order, without a gap. */
export type EventListener = (event: StoredEvent) => void;

/** What one process tells of one tenant's events to those who follow them. */
export type TenantChannel = {
  /** The number of the last event that was told. */
  readonly tail: bigint;
  /** Takes in that there are events up to this number; without one, that there may be some. */
  hear(seq?: bigint): void;
  /**
   * Tells of what comes after a number: first of what has come already, one by one whenever `untilReady` resolves, then of what comes. Resolves when nothing is left of the first, with how
   * to stop it. Undefined when too much came since, or part of it is known no more.
   */
  follow(after: bigint, listener: EventListener, untilReady: () => Promise<void>): Promise<(() => void) | undefined>;
  close(): void;
};

type TenantChannelDeps = {
  readonly tenantId: string;
  readonly store: Pick<EventStore, 'listAfter' | 'hasAllAfter'>;
  /** null: every process reads for itself. */
  readonly relay: EventRelay | null;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

/** So many events stay at hand for those who come back. */
const MAX_RECENT = 1_000;
const PAGE_SIZE = 500;
/** What is looked up at once for one who has missed some. */
const PART_SIZE = 100;
/** Whoever has missed more is better off with a new beginning. */
const MAX_MISSED = 10_000n;
/** How long the process that reads for all may take before each reads for itself. */
const RELAY_PATIENCE_MS = 250;
const RETRY_MS = 500;

/** @param start The number after which it begins to tell. */
export function createTenantChannel({ tenantId, store, relay, log }: TenantChannelDeps, start: bigint): TenantChannel {
  const memory = createMemory(start);
  const reader = createReader({
    memory,
    read: () => store.listAfter(tenantId, memory.tail, PAGE_SIZE),
    onNews: (events) => relay?.publish(tenantId, events),
    onError: (error) => log.warn({ err: error }, 'new events cannot be read; trying again'),
  });
  const unsubscribe = relay?.subscribe(tenantId, (events) => {
    const [first] = events;
    // With a gap before it there is more to be read than this.
    if (first !== undefined && first.seq <= memory.tail + 1n) memory.tell(events);
    else reader.readNow({ isShared: false });
  });
  const isKnown = async (seq: bigint): Promise<boolean> => {
    if (memory.tail - seq > MAX_MISSED) return false;
    return memory.has(seq) || (await store.hasAllAfter(tenantId, seq));
  };

  return {
    get tail() {
      return memory.tail;
    },
    hear(seq) {
      if (seq === undefined) return reader.readNow({ isShared: false });
      if (seq <= memory.tail) return;
      reader.want(seq);
      if (relay === null) return reader.readNow({ isShared: false });
      relay.claim(tenantId, seq).then(
        (isOurs) => (isOurs ? reader.readNow({ isShared: true }) : reader.readSoon(RELAY_PATIENCE_MS)),
        () => reader.readNow({ isShared: false }),
      );
    },
    async follow(after, listener, untilReady) {
      let position = after;
      const pass: EventListener = (event) => {
        if (event.seq <= position) return;
        position = event.seq;
        listener(event);
      };
      if (!(await isKnown(after))) return undefined;
      while (position < memory.tail) {
        const events = memory.listAfter(position, PART_SIZE) ?? (await store.listAfter(tenantId, position, PART_SIZE));
        if (events.length === 0) return undefined;
        for (const event of events) {
          pass(event);
          // One can be as large as what may wait for a reader at all.
          await untilReady();
        }
      }
      // Nothing can be told between the last look and this.
      memory.listeners.add(pass);
      return () => void memory.listeners.delete(pass);
    },
    close() {
      reader.close();
      unsubscribe?.();
    },
  };
}

type Memory = {
  readonly tail: bigint;
  readonly listeners: Set<EventListener>;
  tell(events: readonly StoredEvent[]): void;
  /** Whether all that came after a number is at hand. */
  has(seq: bigint): boolean;
  /** The first of those; undefined when they are not at hand. */
  listAfter(seq: bigint, limit: number): readonly StoredEvent[] | undefined;
};

/** What was told last, and to whom. */
function createMemory(start: bigint): Memory {
  const listeners = new Set<EventListener>();
  let recent: StoredEvent[] = [];
  let before = start;
  let tail = start;
  const has = (seq: bigint): boolean => seq >= before && seq <= tail;
  return {
    get tail() {
      return tail;
    },
    listeners,
    tell(events) {
      for (const event of events) {
        if (event.seq <= tail) continue;
        tail = event.seq;
        recent.push(event);
        for (const listener of listeners) listener(event);
      }
      if (recent.length <= 2 * MAX_RECENT) return;
      before = recent.at(-MAX_RECENT - 1)?.seq ?? tail;
      recent = recent.slice(-MAX_RECENT);
    },
    has,
    listAfter(seq, limit) {
      if (!has(seq)) return undefined;
      const first = recent.findIndex((event) => event.seq > seq);
      return first === -1 ? [] : recent.slice(first, first + limit);
    },
  };
}

type Reader = {
  /** Takes in that there are events up to this number. */
  want(seq: bigint): void;
  /** Reads what there is, for the others as well if `isShared`. */
  readNow(options: { readonly isShared: boolean }): void;
  /** Reads after a while, if what is wanted has not come by then. */
  readSoon(delayMs: number): void;
  close(): void;
};

type ReaderOptions = {
  readonly memory: Memory;
  readonly read: () => Promise<readonly StoredEvent[]>;
  readonly onNews: (events: readonly StoredEvent[]) => void;
  readonly onError: (error: unknown) => void;
};

/** Reads one time after the other, until all that is wanted has been told. */
function createReader({ memory, read, onNews, onError }: ReaderOptions): Reader {
  let wanted = memory.tail;
  let isReading = false;
  let isAsked = false;
  let isShared = false;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;

  const readOn = async (): Promise<void> => {
    do {
      isAsked = false;
      const events = await read();
      if (isClosed) return;
      const news = events.filter(({ seq }) => seq > memory.tail);
      memory.tell(news);
      if (isShared && news.length > 0) onNews(news);
      if (events.length > 0) isAsked ||= events.length === PAGE_SIZE;
      // What is wanted and not there has been deleted since.
      else if (!isAsked) wanted = memory.tail;
    } while (isAsked || memory.tail < wanted);
  };
  const readNow: Reader['readNow'] = (options) => {
    isAsked = true;
    isShared ||= options.isShared;
    if (isReading || isClosed) return;
    clearTimeout(timer);
    timer = undefined;
    isReading = true;
    readOn()
      .catch((error: unknown) => {
        onError(error);
        isAsked = true;
        readSoon(RETRY_MS);
      })
      .finally(() => {
        isReading = false;
        isShared = false;
        // Asked for since the last look.
        if (isAsked && timer === undefined) readNow({ isShared });
      });
  };
  const readSoon = (delayMs: number): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      if (isAsked || memory.tail < wanted) readNow({ isShared: false });
    }, delayMs).unref();
  };
  return {
    want(seq) {
      if (seq > wanted) wanted = seq;
      readSoon(RELAY_PATIENCE_MS);
    },
    readNow,
    readSoon,
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
