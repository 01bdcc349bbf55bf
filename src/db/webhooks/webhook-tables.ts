import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import type { EventData, EventType } from '../../domain/events/event.ts';
import type { DeliveryStatus, DisabledReason, MessageType } from '../../domain/webhooks/webhook.ts';

type CreatedAt = ColumnType<Date, never, never>;

export type WebhookTables = {
  webhooks: {
    tenant_id: string;
    id: Generated<string>;
    url: string;
    description: string | null;
    event_types: EventType[] | null;
    secret: Buffer;
    old_secret: Buffer | null;
    old_secret_until: Date | null;
    disabled_at: Date | null;
    disabled_reason: DisabledReason | null;
    failing_since: Date | null;
    paused_until: Date | null;
    seen_seq: Generated<string>;
    version: Generated<number>;
    created_at: CreatedAt;
    updated_at: Generated<Date>;
  };
  webhook_deliveries: {
    tenant_id: string;
    id: Generated<string>;
    webhook_id: string;
    event_id: string;
    type: MessageType;
    data: JSONColumnType<EventData>;
    occurred_at: Date;
    status: Generated<DeliveryStatus>;
    attempts: Generated<number>;
    due_at: Date | null;
    attempt_id: string | null;
    attempted_at: Date | null;
    response_status: number | null;
    error_code: ErrorCode | null;
    created_at: CreatedAt;
    finished_at: Date | null;
  };
};
