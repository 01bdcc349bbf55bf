import { z } from 'zod';
import { DELIVERY_STATUSES } from '../../domain/webhooks/webhook.ts';
import type { WebhookService } from '../../services/webhooks/webhook-service.ts';
import { presentDelivery } from '../presenters/webhook.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { cursorQuery, limitQuery, nothing, uuid } from '../schemas/common.ts';
import { deliveryPageSchema, deliverySchema } from '../schemas/webhooks.ts';
import { deliveryExample } from '../webhook-examples.ts';

const params = z.strictObject({ id: uuid });
const SEND_COST = 5;

/** What webhooks were told, and having it told again. */
export function createDeliveryRoutes(webhooks: WebhookService): readonly Route[] {
  return [listRoute(webhooks), replayRoute(webhooks), testRoute(webhooks)];
}

function listRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'get',
    path: '/webhooks/{id}/deliveries',
    operationId: 'listDeliveries',
    access: 'admin',
    tag: 'Alerts',
    summary: 'List what a webhook was told',
    description: 'Newest first. What arrived is listed for 7 days, all else for 30.',
    params,
    query: z.strictObject({
      limit: limitQuery,
      cursor: cursorQuery,
      status: z.enum(DELIVERY_STATUSES).optional().meta({ description: '`failed` lists what was given up.' }),
    }),
    body: noBody,
    replies: {
      200: {
        description: 'A page of deliveries.',
        schema: deliveryPageSchema,
        example: { deliveries: [deliveryExample], next_cursor: null },
      },
    },
    errors: ['webhook_not_found'],
    handler: async ({ tenantId, params: { id }, query, pages }) => {
      const { encode, decode } = pages({ list: 'deliveries', webhook: id, status: query.status ?? null });
      const after = decode(query.cursor, cursorPlace);
      const page = await webhooks.listDeliveries(tenantId, id, {
        status: query.status ?? null,
        afterId: after?.id ?? null,
        limit: query.limit,
      });
      return reply(200, {
        deliveries: page.deliveries.map(presentDelivery),
        next_cursor: page.nextId === null ? null : encode({ id: page.nextId }),
      });
    },
  });
}

const cursorPlace = z.strictObject({ id: z.uuid() });

function replayRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'post',
    path: '/webhooks/{id}/deliveries/{delivery_id}/replay',
    operationId: 'replayDelivery',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Have something sent again',
    description:
      'Also what arrived, or was given up: at once, under the same event id, and again for more than a day if it has to be.',
    cost: SEND_COST,
    params: z.strictObject({ id: uuid, delivery_id: uuid }),
    query: nothing,
    body: noBody,
    replies: {
      202: {
        description: 'It is sent.',
        schema: deliverySchema,
        example: { ...deliveryExample, attempts: 0, next_attempt_at: '2026-11-21T12:00:09.000Z' },
      },
    },
    errors: ['webhook_not_found', 'delivery_not_found', 'conflict'],
    handler: async ({ tenantId, params: { id, delivery_id: deliveryId } }) =>
      reply(202, presentDelivery(await webhooks.replay(tenantId, id, deliveryId))),
  });
}

function testRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'post',
    path: '/webhooks/{id}/test',
    operationId: 'testWebhook',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Try a webhook out',
    description: 'Sends a message of type `webhook.test`, like any other. How it went is told among the deliveries.',
    cost: SEND_COST,
    params,
    query: nothing,
    body: noBody,
    replies: {
      202: {
        description: 'It is sent.',
        schema: deliverySchema,
        example: {
          ...deliveryExample,
          type: 'webhook.test',
          attempts: 0,
          last_attempt_at: null,
          response_status: null,
          error: null,
        },
      },
    },
    errors: ['webhook_not_found', 'conflict'],
    handler: async ({ tenantId, params: { id } }) => reply(202, presentDelivery(await webhooks.test(tenantId, id))),
  });
}
