import type { Delivery, Webhook } from '../../domain/webhooks/webhook.ts';
import type { DeliveryWire, WebhookWire } from '../schemas/webhooks.ts';

export function presentWebhook(webhook: Webhook): WebhookWire {
  const { disabled } = webhook;
  return {
    id: webhook.id,
    url: webhook.url,
    event_types: webhook.eventTypes === null ? null : [...webhook.eventTypes],
    description: webhook.description,
    enabled: disabled === null,
    disabled_at: disabled?.at.toISOString() ?? null,
    disabled_reason: disabled?.reason ?? null,
    failing_since: webhook.failingSince?.toISOString() ?? null,
    old_secret_until: webhook.oldSecretUntil?.toISOString() ?? null,
    created_at: webhook.createdAt.toISOString(),
    updated_at: webhook.updatedAt.toISOString(),
  };
}

export function presentDelivery(delivery: Delivery): DeliveryWire {
  return {
    id: delivery.id,
    webhook_id: delivery.webhookId,
    event_id: delivery.eventId,
    type: delivery.type,
    status: delivery.status,
    attempts: delivery.attempts,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    response_status: delivery.responseStatus,
    error: delivery.errorCode,
    created_at: delivery.createdAt.toISOString(),
    finished_at: delivery.finishedAt?.toISOString() ?? null,
  };
}
