import { z } from 'zod';
import type { Webhook } from '../../domain/webhooks/webhook.ts';
import { formatWebhookSecret } from '../../lib/webhook-signature.ts';
import type { WebhookPatch, WebhookService, WebhookWithSecret } from '../../services/webhooks/webhook-service.ts';
import { etagHeader, etagOfVersion, ifMatchHeaders, readIfMatch } from '../entity-tag.ts';
import { presentWebhook } from '../presenters/webhook.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing, uuid } from '../schemas/common.ts';
import {
  newWebhookSchema,
  rotationSchema,
  webhookListSchema,
  webhookPatchSchema,
  webhookSchema,
  webhookSecretSchema,
} from '../schemas/webhooks.ts';
import { webhookExample, webhookSecretExample } from '../webhook-examples.ts';

const params = z.strictObject({ id: uuid });
/** Names are looked up, and whoever makes webhooks in bulk is up to no good. */
const CHECK_COST = 5;

/** Where a tenant is told what happens. */
export function createWebhookRoutes(webhooks: WebhookService): readonly Route[] {
  return [
    addRoute(webhooks),
    listRoute(webhooks),
    getRoute(webhooks),
    patchRoute(webhooks),
    deleteRoute(webhooks),
    rotateRoute(webhooks),
  ];
}

function addRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'post',
    path: '/webhooks',
    operationId: 'addWebhook',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Be told what happens',
    description:
      'From now on each event is sent there as a POST, signed by the Standard Webhooks specification, at least once and in no promised order. Whatever is not answered with a 2xx within 15 seconds is sent again for more than a day; an endpoint that answers 410, or nothing good for a day, is disabled. There can be 20 webhooks.',
    isPatient: true,
    cost: CHECK_COST,
    params: nothing,
    query: nothing,
    body: {
      schema: newWebhookSchema,
      presence: 'required',
      example: { url: webhookExample.url, event_types: webhookExample.event_types, description: 'The phone' },
    },
    replies: {
      201: {
        description: 'What happens is sent there from now on.',
        schema: webhookSecretSchema,
        example: webhookSecretExample,
        headers: { Location: 'Path of the webhook.' },
      },
    },
    shownOnce: ['secret'],
    errors: ['outbound_refused', 'quota_exceeded'],
    handler: async ({ tenantId, body }) => {
      const { url, event_types: eventTypes = null, description = null } = body;
      const added = await webhooks.add(tenantId, { url, eventTypes, description });
      return reply(201, presentWithSecret(added), { Location: `/api/v1/webhooks/${added.webhook.id}` });
    },
  });
}

function listRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'get',
    path: '/webhooks',
    operationId: 'listWebhooks',
    access: 'admin',
    tag: 'Alerts',
    summary: 'List the webhooks',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'All of them, oldest first.', schema: webhookListSchema, example: { webhooks: [webhookExample] } },
    },
    errors: [],
    handler: async ({ tenantId }) => reply(200, { webhooks: (await webhooks.list(tenantId)).map(presentWebhook) }),
  });
}

function getRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'get',
    path: '/webhooks/{id}',
    operationId: 'getWebhook',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Read a webhook',
    params,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'The webhook.', schema: webhookSchema, example: webhookExample } },
    errors: ['webhook_not_found'],
    handler: async ({ tenantId, params: { id } }) => tell(await webhooks.get(tenantId, id)),
  });
}

function patchRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'patch',
    path: '/webhooks/{id}',
    operationId: 'updateWebhook',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Change a webhook, or switch it off and on',
    isPatient: true,
    cost: CHECK_COST,
    params,
    query: nothing,
    body: { schema: webhookPatchSchema, presence: 'required', example: { enabled: true, event_types: null } },
    requestHeaders: ifMatchHeaders,
    replies: {
      200: { description: 'The webhook as it is now.', schema: webhookSchema, example: webhookExample, headers: etagHeader },
    },
    errors: ['webhook_not_found', 'outbound_refused', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, body, header }) => {
      const patch = { ...toPatch(body), ifVersion: readIfMatch(header('if-match')) };
      return tell(await webhooks.update(tenantId, id, patch));
    },
  });
}

function deleteRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'delete',
    path: '/webhooks/{id}',
    operationId: 'deleteWebhook',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Be told no more',
    description: 'What was still to be sent goes with it.',
    params,
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'Gone.', schema: null, example: null } },
    requestHeaders: ifMatchHeaders,
    errors: ['webhook_not_found', 'precondition_failed'],
    handler: async ({ tenantId, params: { id }, header }) => {
      await webhooks.delete(tenantId, id, readIfMatch(header('if-match')));
      return reply(204, null);
    },
  });
}

function rotateRoute(webhooks: WebhookService): Route {
  return defineRoute({
    method: 'post',
    path: '/webhooks/{id}/rotate',
    operationId: 'rotateWebhookSecret',
    access: 'admin',
    tag: 'Alerts',
    summary: 'Change the secret of a webhook',
    description: 'For a time what is sent carries a signature of either, so that you can change it on your side without a gap.',
    params,
    query: nothing,
    body: { schema: rotationSchema, presence: 'optional', example: { overlap_seconds: 3600 } },
    replies: {
      200: {
        description: 'The new secret signs from now on.',
        schema: webhookSecretSchema,
        example: { ...webhookSecretExample, old_secret_until: '2026-11-21T13:00:00.000Z' },
      },
    },
    shownOnce: ['secret'],
    errors: ['webhook_not_found'],
    handler: async ({ tenantId, params: { id }, body }) =>
      reply(200, presentWithSecret(await webhooks.rotate(tenantId, id, body.overlap_seconds))),
  });
}

function tell(webhook: Webhook) {
  const body = presentWebhook(webhook);
  return reply(200, body, etagOfVersion(webhook.version, body));
}

function presentWithSecret({ webhook, secret }: WebhookWithSecret): z.output<typeof webhookSecretSchema> {
  return { ...presentWebhook(webhook), secret: formatWebhookSecret(secret) };
}

function toPatch({ event_types: eventTypes, enabled, url, description }: z.output<typeof webhookPatchSchema>): WebhookPatch {
  return {
    ...(url === undefined ? {} : { url }),
    ...(description === undefined ? {} : { description }),
    ...(eventTypes === undefined ? {} : { eventTypes }),
    ...(enabled === undefined ? {} : { isEnabled: enabled }),
  };
}
