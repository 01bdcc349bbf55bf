import { z } from 'zod';
import type { KeyService } from '../../services/access/key-service.ts';
import { createdKeyExample, keyExample } from '../key-examples.ts';
import { presentCreatedKey, presentKey } from '../presenters/key.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { createdKeySchema, keyId, keyListSchema, keySchema, newKeySchema, rotationSchema } from '../schemas/keys.ts';

type KeyRouteDeps = { readonly keys: KeyService; readonly now: () => Date };

const idParams = z.strictObject({ id: keyId });
const CREATE_COST = 10;
const createdReply = {
  description: 'The new key. This is the only time that it is shown.',
  schema: createdKeySchema,
  example: createdKeyExample,
  headers: { Location: 'Path of the key.' },
} as const;

/** The keys of a tenant. */
export function createKeyRoutes(deps: KeyRouteDeps): readonly Route[] {
  return [createRoute(deps), listRoute(deps), getRoute(deps), rotateRoute(deps), revokeRoute(deps)];
}

function createRoute({ keys, now }: KeyRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/keys',
    operationId: 'createKey',
    access: 'admin',
    tag: 'Access',
    summary: 'Make a key',
    cost: CREATE_COST,
    description: 'A tenant may have 100 keys that can be used.',
    params: nothing,
    query: nothing,
    body: { schema: newKeySchema, presence: 'required', example: { name: 'Dashboard', scopes: ['read:values'] } },
    replies: { 201: createdReply },
    shownOnce: ['key'],
    errors: ['quota_exceeded'],
    handler: async ({ tenantId, body }) => {
      const expiresAt = body.expires_at ? new Date(body.expires_at) : null;
      const created = await keys.create(tenantId, { name: body.name, scopes: body.scopes, expiresAt });
      return reply(201, presentCreatedKey(created, now()), { Location: pathOf(created.key.id) });
    },
  });
}

function listRoute({ keys, now }: KeyRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/keys',
    operationId: 'listKeys',
    access: 'admin',
    tag: 'Access',
    summary: 'List the keys',
    description: 'Newest first. Keys that have ended are shown for 30 days.',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'All keys.', schema: keyListSchema, example: { keys: [keyExample] } } },
    errors: [],
    handler: async ({ tenantId }) => {
      const found = await keys.list(tenantId);
      return reply(200, { keys: found.map((key) => presentKey(key, now())) });
    },
  });
}

function getRoute({ keys, now }: KeyRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/keys/{id}',
    operationId: 'getKey',
    access: 'admin',
    tag: 'Access',
    summary: 'Look at a key',
    params: idParams,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'The key, without its secret.', schema: keySchema, example: keyExample } },
    errors: ['key_not_found'],
    handler: async ({ tenantId, params }) => reply(200, presentKey(await keys.get(tenantId, params.id), now())),
  });
}

function rotateRoute({ keys, now }: KeyRouteDeps): Route {
  return defineRoute({
    method: 'post',
    path: '/keys/{id}/rotate',
    operationId: 'rotateKey',
    access: 'admin',
    tag: 'Access',
    summary: 'Put a new key in the place of one',
    cost: CREATE_COST,
    description: 'The new key has the same name, scopes and length of life. Both hold until the overlap is over.',
    params: idParams,
    query: nothing,
    body: { schema: rotationSchema, presence: 'optional', example: { overlap_seconds: 3600 } },
    replies: { 201: createdReply },
    shownOnce: ['key'],
    errors: ['key_not_found', 'conflict', 'quota_exceeded'],
    handler: async ({ tenantId, params, body }) => {
      const created = await keys.rotate(tenantId, params.id, body.overlap_seconds);
      return reply(201, presentCreatedKey(created, now()), { Location: pathOf(created.key.id) });
    },
  });
}

function revokeRoute({ keys }: KeyRouteDeps): Route {
  return defineRoute({
    method: 'delete',
    path: '/keys/{id}',
    operationId: 'revokeKey',
    access: 'admin',
    tag: 'Access',
    summary: 'Revoke a key',
    description: 'Every instance refuses it within 5 seconds. It is still shown for 30 days.',
    params: idParams,
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'It is revoked.', schema: null, example: null } },
    errors: ['key_not_found'],
    handler: async ({ tenantId, params }) => {
      await keys.revoke(tenantId, params.id);
      return reply(204, null);
    },
  });
}

function pathOf(id: string): string {
  return `/api/v1/keys/${id}`;
}
