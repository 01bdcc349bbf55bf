import type { StoredEvent } from '../domain/events/event.ts';

/** How processes spare each other the reading of new events. Whatever it loses, the database has. */
export type EventRelay = {
  /** Whether it is on this process to read the tenant's events up to this number and to tell the others; true as well where that cannot be found out. */
  claim(tenantId: string, seq: bigint): Promise<boolean>;
  /** Tells the others, without waiting for it. */
  publish(tenantId: string, events: readonly StoredEvent[]): void;
  /** Hears of the tenant's events, in the order of each publication. Gives back how to stop that. */
  subscribe(tenantId: string, listener: (events: readonly StoredEvent[]) => void): () => void;
  close(): Promise<void>;
};
