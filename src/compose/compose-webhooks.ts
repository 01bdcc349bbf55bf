import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { createDeliveryService, type DeliveryService } from '../services/webhooks/delivery-service.ts';
import { createWebhookService, type WebhookService } from '../services/webhooks/webhook-service.ts';
import type { OutboundWay } from './compose-outbound.ts';
import type { Storage } from './compose-storage.ts';

export type WebhookServices = { readonly webhooks: WebhookService; readonly deliveries: DeliveryService };

type WebhookDeps = {
  readonly storage: Pick<Storage, 'webhooks' | 'deliveries' | 'attempts'>;
  readonly way: OutboundWay;
  readonly metrics: Pick<Metrics, 'onWebhookAttempt'>;
  readonly log: Logger;
  readonly now: () => Date;
};

/** Makes what tells the webhooks of users. */
export function composeWebhooks({ storage, way, metrics, log, now }: WebhookDeps): WebhookServices {
  const { webhooks, deliveries, attempts } = storage;
  return {
    webhooks: createWebhookService({ webhooks, deliveries, checkUrl: (url) => way.guard.check(url) }),
    deliveries: createDeliveryService({
      attempts,
      http: way.http,
      now,
      random: Math.random,
      onAttempt: metrics.onWebhookAttempt,
      log,
    }),
  };
}
