import { z } from 'zod';
import type { RpcEndpointService } from '../../services/rpc-endpoint-service.ts';
import { presentRpcEndpoint } from '../presenters/rpc-endpoint.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing, uuid } from '../schemas/common.ts';
import {
  newRpcEndpointSchema,
  type RpcEndpointWire,
  rpcEndpointListSchema,
  rpcEndpointSchema,
} from '../schemas/rpc-endpoints.ts';
import { withDeadline } from './upstream.ts';

const ADD_COST = 10;
const OWNER_ONLY = 'For the owner of the service alone, since all tenants are read with the same endpoints.';

const example: RpcEndpointWire = {
  id: '0198e000-0000-7000-8000-000000000001',
  chain: 'ethereum',
  endpoint: 'rpc.example',
  created_at: '2026-11-21T12:00:00.000Z',
};

/** The endpoints that are set while the service runs. */
export function createRpcEndpointRoutes(endpoints: RpcEndpointService): readonly Route[] {
  return [listRoute(endpoints), addRoute(endpoints), removeRoute(endpoints)];
}

function listRoute(endpoints: RpcEndpointService): Route {
  return defineRoute({
    method: 'get',
    path: '/rpc-endpoints',
    operationId: 'listRpcEndpoints',
    access: 'admin',
    tag: 'System',
    summary: 'List the endpoints that were set',
    description: `Those of the configuration are not among them; \`GET /providers\` tells of all, and how they are. ${OWNER_ONLY}`,
    params: nothing,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'All of them.', schema: rpcEndpointListSchema, example: { rpc_endpoints: [example] } },
    },
    isCached: true,
    errors: ['forbidden'],
    handler: async ({ tenantId }) => reply(200, { rpc_endpoints: (await endpoints.list(tenantId)).map(presentRpcEndpoint) }),
  });
}

function addRoute(endpoints: RpcEndpointService): Route {
  return defineRoute({
    method: 'post',
    path: '/rpc-endpoints',
    operationId: 'addRpcEndpoint',
    access: 'admin',
    tag: 'System',
    summary: 'Set an endpoint of a chain',
    isPatient: true,
    cost: ADD_COST,
    description: `It is asked for its chain first, and refused unless it serves the one that is named. Within seconds every process asks it before those of the configuration. It must be on the public internet, or allowed by \`OUTBOUND_ALLOW\`; that is checked again whenever it is connected to. ${OWNER_ONLY}`,
    params: nothing,
    query: nothing,
    body: {
      schema: newRpcEndpointSchema,
      presence: 'required',
      example: { chain: 'ethereum', url: 'https://rpc.example/v2/your-key' },
    },
    replies: {
      201: { description: 'It is set.', schema: rpcEndpointSchema, example, headers: { Location: 'Path to delete it at.' } },
    },
    errors: [
      'forbidden',
      'unknown_chain',
      'outbound_refused',
      'endpoint_unusable',
      'conflict',
      'quota_exceeded',
      'upstream_aborted',
    ],
    handler: async ({ tenantId, body, signal }) => {
      const added = await endpoints.add(tenantId, body, withDeadline(signal()));
      return reply(201, presentRpcEndpoint(added), { Location: `/api/v1/rpc-endpoints/${added.id}` });
    },
  });
}

function removeRoute(endpoints: RpcEndpointService): Route {
  return defineRoute({
    method: 'delete',
    path: '/rpc-endpoints/{id}',
    operationId: 'removeRpcEndpoint',
    access: 'admin',
    tag: 'System',
    summary: 'Remove an endpoint that was set',
    description: `Within seconds no process begins a call to it. ${OWNER_ONLY}`,
    params: z.strictObject({ id: uuid }),
    query: nothing,
    body: noBody,
    replies: { 204: { description: 'It is gone.', schema: null, example: null } },
    errors: ['forbidden', 'endpoint_not_found'],
    handler: async ({ tenantId, params }) => {
      await endpoints.remove(tenantId, params.id);
      return reply(204, null);
    },
  });
}
