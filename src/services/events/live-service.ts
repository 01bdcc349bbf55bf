import type { ChangeFeed } from '../../db/change-feed.ts';
import { AppError } from '../../domain/errors.ts';
import type { EventType, StoredEvent } from '../../domain/events/event.ts';
import type { PortfolioService } from '../portfolio-service.ts';
import type { EventHub } from './event-hub.ts';
import type { TenantChannel } from './tenant-channel.ts';
import { createTotalsWatch, type Totals, type TotalsWatch } from './totals-watch.ts';

/** What a follower is told: how things stand, what happened since, and what the portfolio comes to whenever that changes. */
export type LiveMessage =
  | { readonly kind: 'snapshot'; readonly totals: Totals }
  | { readonly kind: 'event'; readonly event: StoredEvent }
  | { readonly kind: 'portfolio'; readonly totals: Totals };

/** Whoever listens. None of it throws. */
export type LiveReader = {
  send(message: LiveMessage): void;
  /** Resolves when what was sent has been taken, or nobody is there any more. */
  untilTaken(): Promise<void>;
  /** There is nothing more to come: the reader is to come back. */
  end(): void;
};

export type LiveStream = {
  /** Begins to tell. To be called once. */
  start(reader: LiveReader): void;
  /** The number of the last event that was told or passed over; undefined before the first word. */
  position(): bigint | undefined;
  close(): void;
};

export type LiveOptions = {
  /** The number of the last event that is known already. null, or one that is too long ago: the stream begins with how things stand. */
  readonly after: bigint | null;
  /** What is told; null: everything. */
  readonly types: ReadonlySet<EventType | 'portfolio'> | null;
};

export type LiveService = {
  /** A stream of what happens to what a tenant holds. Throws rate_limited when there are too many, and database_unavailable. */
  open(tenantId: string, options: LiveOptions): Promise<LiveStream>;
  close(): void;
};

type LiveServiceDeps = {
  readonly hub: EventHub;
  readonly portfolio: Pick<PortfolioService, 'getPortfolio'>;
  readonly feed: Pick<ChangeFeed, 'currentVersion' | 'onChange' | 'isLive'>;
  readonly log: { warn(details: object, message: string): void };
  /** Streams that may be open at once, in this process. */
  readonly limits: { readonly perTenant: number; readonly inAll: number };
  /** Hears of each stream that is opened or closed. */
  readonly onStream: (change: 1 | -1) => void;
  /** Hears of everything that a reader is told. */
  readonly onMessage: (kind: LiveMessage['kind']) => void;
};

const RETRY_AFTER_MS = 10_000;
/** How often totals are worked out anew while the database does not tell of changes. */
const POLL_INTERVAL_MS = 5_000;

type Watch = { users: number; readonly totals: TotalsWatch };

export function createLiveService({ hub, portfolio, feed, log, limits, onStream, onMessage }: LiveServiceDeps): LiveService {
  const counts = new Map<string, number>();
  const watches = new Map<string, Watch>();
  let inAll = 0;
  const hearAll = (): void => {
    for (const { totals } of watches.values()) totals.hear();
  };
  feed.onChange((tenantId) => {
    if (tenantId === undefined) hearAll();
    else watches.get(tenantId)?.totals.hear();
  });
  const polling = setInterval(() => {
    if (!feed.isLive()) hearAll();
  }, POLL_INTERVAL_MS).unref();
  const count = (tenantId: string, change: 1 | -1): void => {
    const now = (counts.get(tenantId) ?? 0) + change;
    if (now === 0) counts.delete(tenantId);
    else counts.set(tenantId, now);
    inAll += change;
    onStream(change);
  };
  const watch = (tenantId: string, channel: TenantChannel): Watch => {
    const watch = watches.get(tenantId) ?? {
      users: 0,
      totals: createTotalsWatch({ tenantId, portfolio, feed, lastSeq: () => channel.tail, log }),
    };
    watches.set(tenantId, watch);
    watch.users += 1;
    return watch;
  };
  const unwatch = (tenantId: string, watch: Watch): void => {
    watch.users -= 1;
    if (watch.users > 0) return;
    watch.totals.close();
    watches.delete(tenantId);
  };

  return {
    async open(tenantId, options) {
      if ((counts.get(tenantId) ?? 0) >= limits.perTenant) refuse(`A client may have ${limits.perTenant} streams.`);
      if (inAll >= limits.inAll) refuse('There are too many streams.');
      count(tenantId, 1);
      const opened = await hub.open(tenantId).catch((error: unknown) => {
        count(tenantId, -1);
        throw error;
      });
      const watched = watch(tenantId, opened.channel);
      const onClose = (): void => {
        unwatch(tenantId, watched);
        opened.release();
        count(tenantId, -1);
      };
      return createLiveStream({ ...options, channel: opened.channel, totals: watched.totals, onClose, onMessage, log });
    },
    close() {
      clearInterval(polling);
      for (const { totals } of watches.values()) totals.close();
      hub.close();
    },
  };
}

function refuse(detail: string): never {
  throw new AppError('rate_limited', detail, { retryAfterMs: RETRY_AFTER_MS });
}

type StreamDeps = LiveOptions &
  Pick<LiveServiceDeps, 'log' | 'onMessage'> & {
    readonly channel: TenantChannel;
    readonly totals: TotalsWatch;
    readonly onClose: () => void;
  };

function createLiveStream({ after, types, channel, totals, onClose, onMessage, log }: StreamDeps): LiveStream {
  let isClosed = false;
  let position: bigint | undefined;
  let unfollow: (() => void) | undefined;
  let tellTotals: ((now: Totals) => void) | undefined;

  const follow = async (from: bigint, reader: LiveReader): Promise<boolean> => {
    const tell = (event: StoredEvent): void => {
      position = event.seq;
      if (!isClosed && (types === null || types.has(event.type))) reader.send({ kind: 'event', event });
    };
    unfollow = await channel.follow(from, tell, () => reader.untilTaken());
    if (isClosed) unfollow?.();
    return unfollow !== undefined;
  };
  const run = async (reader: LiveReader): Promise<void> => {
    const isResumed = after !== null && (await follow(after, reader));
    const now = await totals.get();
    if (isClosed) return;
    if (isResumed) position ??= after;
    else {
      position = now.seq;
      reader.send({ kind: 'snapshot', totals: now });
      if (!(await follow(now.seq, reader))) throw new AppError('conflict', 'Events were deleted before they could be told.');
    }
    if (isClosed || !(types?.has('portfolio') ?? true)) return;
    // The totals may have changed while the reader was away.
    if (isResumed) reader.send({ kind: 'portfolio', totals: now });
    tellTotals = (totals) => reader.send({ kind: 'portfolio', totals });
    totals.listeners.add(tellTotals);
  };
  return {
    start({ send, ...reader }) {
      const counting = (message: LiveMessage): void => {
        onMessage(message.kind);
        send(message);
      };
      run({ ...reader, send: counting }).catch((error: unknown) => {
        if (isClosed) return;
        log.warn({ err: error }, 'a stream of events is ended early');
        reader.end();
      });
    },
    position: () => position,
    close() {
      if (isClosed) return;
      isClosed = true;
      unfollow?.();
      if (tellTotals !== undefined) totals.listeners.delete(tellTotals);
      onClose();
    },
  };
}
