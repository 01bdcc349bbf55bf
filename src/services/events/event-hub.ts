import type { EventRelay } from '../../adapters/event-relay.ts';
import type { ChangeFeed } from '../../db/change-feed.ts';
import type { EventStore } from '../../db/events/event-store.ts';
import { createTenantChannel, type TenantChannel } from './tenant-channel.ts';

/** The events of tenants in whom somebody is interested here. */
export type EventHub = {
  /** A tenant's channel, shared by all who follow it; `release` is to be called once by each. Throws database_unavailable. */
  open(tenantId: string): Promise<{ readonly channel: TenantChannel; release(): void }>;
  close(): void;
};

type EventHubDeps = {
  readonly store: EventStore;
  readonly feed: Pick<ChangeFeed, 'onEvents' | 'isLive'>;
  /** null: every process reads for itself. */
  readonly relay: EventRelay | null;
  readonly log: { warn(details: object, message: string): void };
};

type Open = { users: number; readonly channel: Promise<TenantChannel> };

/** How often the database is asked while it does not tell by itself. */
const POLL_INTERVAL_MS = 1_000;

export function createEventHub({ store, feed, relay, log }: EventHubDeps): EventHub {
  const open = new Map<string, Open>();
  const hear = (tenantId: string, seq?: bigint): void => {
    // One that cannot be opened is told to whoever wants it.
    open.get(tenantId)?.channel.then(
      (channel) => channel.hear(seq),
      () => undefined,
    );
  };
  const hearAll = (): void => {
    for (const tenantId of open.keys()) hear(tenantId);
  };
  feed.onEvents((news) => {
    if (news === undefined) hearAll();
    else hear(news.tenantId, news.seq);
  });
  const polling = setInterval(() => {
    if (!feed.isLive()) hearAll();
  }, POLL_INTERVAL_MS).unref();
  const release = (tenantId: string, entry: Open): void => {
    entry.users -= 1;
    if (entry.users > 0) return;
    if (open.get(tenantId) === entry) open.delete(tenantId);
    entry.channel.then(
      (channel) => channel.close(),
      () => undefined,
    );
  };

  return {
    async open(tenantId) {
      // Before the first number is read, so that none after it goes unheard.
      const entry = open.get(tenantId) ?? {
        users: 0,
        channel: store.getLastSeq(tenantId).then((tail) => createTenantChannel({ tenantId, store, relay, log }, tail)),
      };
      open.set(tenantId, entry);
      entry.users += 1;
      let isOpen = true;
      const releaseOnce = (): void => {
        if (isOpen) release(tenantId, entry);
        isOpen = false;
      };
      try {
        return { channel: await entry.channel, release: releaseOnce };
      } catch (error) {
        releaseOnce();
        throw error;
      }
    },
    close() {
      clearInterval(polling);
      for (const { channel } of open.values())
        channel.then(
          (one) => one.close(),
          () => undefined,
        );
      open.clear();
    },
  };
}
