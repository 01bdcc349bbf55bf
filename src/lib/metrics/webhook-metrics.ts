import { Counter, type Registry } from 'prom-client';

export type WebhookMetrics = {
  /** How an attempt at telling a webhook ended; `failed` is for those that no other follows. */
  readonly onWebhookAttempt: (end: 'delivered' | 'retry' | 'failed') => void;
};

/** What is sent to the webhooks of users. */
export function createWebhookMetrics(registry: Registry): WebhookMetrics {
  const attempts = new Counter({
    name: 'webhook_attempts_total',
    help: 'Attempts at telling a webhook of an event, by how they ended.',
    labelNames: ['end'],
    registers: [registry],
  });
  return { onWebhookAttempt: (end) => attempts.inc({ end }) };
}
