import type { ErrorCode } from '../errors.ts';
import type { EventData, EventType } from '../events/event.ts';

/** Whose word it was that nothing is sent any more: the owner's, the other side's (410), or ours, after a day of nothing but failures. */
export type DisabledReason = 'by_request' | 'gone' | 'failing';

/** Where a tenant is told what happens. */
export type Webhook = {
  readonly id: string;
  readonly url: string;
  readonly description: string | null;
  /** null: all types there are, also those to come. */
  readonly eventTypes: readonly EventType[] | null;
  readonly disabled: { readonly at: Date; readonly reason: DisabledReason } | null;
  /** The first of the failures since the last success. */
  readonly failingSince: Date | null;
  /** The secret before this one signs as well until then. */
  readonly oldSecretUntil: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Another one after each change by the owner. */
  readonly version: number;
};

/** What is told to try a webhook out is no event. */
export const TEST_MESSAGE_TYPE = 'webhook.test';
export type MessageType = EventType | typeof TEST_MESSAGE_TYPE;

/** `failed`: given up, to be sent again only by request. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];

/** One event to be told, or told, to one webhook. */
export type Delivery = {
  readonly id: string;
  readonly webhookId: string;
  /** The event's, by which the other side knows what it has had already. */
  readonly eventId: string;
  readonly type: MessageType;
  readonly status: DeliveryStatus;
  readonly attempts: number;
  /** null while an attempt is under way, and when there is none to come. */
  readonly nextAttemptAt: Date | null;
  readonly lastAttemptAt: Date | null;
  /** What the other side answered the last time. */
  readonly responseStatus: number | null;
  /** Why there was no good answer. */
  readonly errorCode: ErrorCode | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
};

/** What is sent. */
export type Message = {
  readonly eventId: string;
  readonly type: MessageType;
  readonly occurredAt: Date;
  readonly data: EventData;
};
