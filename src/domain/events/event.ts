/** What can happen to what a tenant holds; clients hear of it as it happens, and webhooks are told. */
export const EVENT_TYPES = [
  'wallet.added',
  'wallet.removed',
  'wallet.balance_changed',
  'refresh.finished',
  'refresh.failed',
  'source.stale',
  'source.recovered',
  'snapshot.taken',
  'snapshot.missed',
  'alert.triggered',
  'alert.resolved',
  'webhook.disabled',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** Data of an event as it goes over the wire: exact numbers are strings. */
export type EventData = Readonly<Record<string, unknown>>;

export type NewEvent = { readonly type: EventType; readonly data: EventData };

/** One that is written down. */
export type StoredEvent = NewEvent & {
  /** The same wherever and however often it is told. */
  readonly id: string;
  /** Rises by one with each event of a tenant, in the order in which they came to be seen. */
  readonly seq: bigint;
  readonly occurredAt: Date;
};
