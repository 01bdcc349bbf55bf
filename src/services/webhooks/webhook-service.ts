import type { DeliveryPage, DeliveryQuery, DeliveryStore } from '../../db/webhooks/delivery-store.ts';
import type { NewWebhook, WebhookPatch, WebhookStore, WebhookWithSecret } from '../../db/webhooks/webhook-store.ts';
import { AppError } from '../../domain/errors.ts';
import type { IfVersion } from '../../domain/version.ts';
import type { Delivery, Webhook } from '../../domain/webhooks/webhook.ts';

export type { DeliveryPage, NewWebhook, WebhookPatch, WebhookWithSecret };

/** Where a tenant is told what happens, and what it was told. All but `add` and `list` throw webhook_not_found, `update` and `delete` precondition_failed too. */
export type WebhookService = {
  /** Throws outbound_refused, quota_exceeded. */
  add(tenantId: string, webhook: NewWebhook): Promise<WebhookWithSecret>;
  list(tenantId: string): Promise<readonly Webhook[]>;
  get(tenantId: string, id: string): Promise<Webhook>;
  /** Throws outbound_refused. */
  update(tenantId: string, id: string, patch: WebhookPatch): Promise<Webhook>;
  /** Makes a new secret; the one before signs as well for so long. */
  rotate(tenantId: string, id: string, overlapSeconds: number): Promise<WebhookWithSecret>;
  delete(tenantId: string, id: string, ifVersion: IfVersion): Promise<void>;
  listDeliveries(tenantId: string, id: string, query: DeliveryQuery): Promise<DeliveryPage>;
  /** Has it sent again. Throws delivery_not_found, and conflict where the webhook is disabled. */
  replay(tenantId: string, id: string, deliveryId: string): Promise<Delivery>;
  /** Has a message sent that tells nothing. Throws conflict where the webhook is disabled. */
  test(tenantId: string, id: string): Promise<Delivery>;
};

type WebhookServiceDeps = {
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  /** Asked before a URL is stored. Throws outbound_refused; gives it in its plain form. */
  readonly checkUrl: (url: string) => Promise<URL>;
};

/** Of one tenant. */
const MAX_WEBHOOKS = 20;

export function createWebhookService({ webhooks, deliveries, checkUrl }: WebhookServiceDeps): WebhookService {
  const get = async (tenantId: string, id: string): Promise<Webhook> => found(await webhooks.get(tenantId, id));
  return {
    async add(tenantId, webhook) {
      const { href } = await checkUrl(webhook.url);
      const added = await webhooks.add(tenantId, { ...webhook, url: href }, MAX_WEBHOOKS);
      if (added === undefined) throw new AppError('quota_exceeded', `There can be ${MAX_WEBHOOKS} webhooks at the most.`);
      return added;
    },
    list: (tenantId) => webhooks.list(tenantId),
    get,
    async update(tenantId, id, { url, ...patch }) {
      if (url === undefined) return found(await webhooks.update(tenantId, id, patch));
      // What is not there is told before what cannot be called.
      await get(tenantId, id);
      return found(await webhooks.update(tenantId, id, { ...patch, url: (await checkUrl(url)).href }));
    },
    async rotate(tenantId, id, overlapSeconds) {
      return found(await webhooks.rotate(tenantId, id, overlapSeconds));
    },
    async delete(tenantId, id, ifVersion) {
      if (!(await webhooks.delete(tenantId, id, ifVersion))) found(undefined);
    },
    async listDeliveries(tenantId, id, query) {
      await get(tenantId, id);
      return deliveries.list(tenantId, id, query);
    },
    async replay(tenantId, id, deliveryId) {
      requireEnabled(await get(tenantId, id));
      const delivery = await deliveries.replay(tenantId, { webhookId: id, deliveryId });
      if (delivery === undefined) throw new AppError('delivery_not_found', 'The webhook has no delivery of this id.');
      return delivery;
    },
    async test(tenantId, id) {
      requireEnabled(await get(tenantId, id));
      return deliveries.addTest(tenantId, id);
    },
  };
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new AppError('webhook_not_found', 'There is no webhook of this id.');
  return value;
}

function requireEnabled({ disabled }: Webhook): void {
  if (disabled !== null) throw new AppError('conflict', 'The webhook is disabled: nothing is sent to it.');
}
