import { z } from 'zod';
import { chainSlug, timestamp, uuid } from './common.ts';

export const newRpcEndpointSchema = z
  .strictObject({
    chain: chainSlug,
    url: z.string().min(1).max(2_048).meta({
      description:
        'Where the endpoint takes JSON-RPC over HTTP. It may hold a key in its path or query, but no user and password.',
      example: 'https://rpc.example/v2/your-key',
    }),
  })
  .meta({ id: 'NewRpcEndpoint' });

export const rpcEndpointSchema = z
  .object({
    id: uuid,
    chain: chainSlug,
    endpoint: z
      .string()
      .meta({ description: 'Its host, with what could be a key cut out. The rest is never shown.', example: 'rpc.example' }),
    created_at: timestamp,
  })
  .meta({ id: 'RpcEndpoint' });

export const rpcEndpointListSchema = z.object({ rpc_endpoints: z.array(rpcEndpointSchema) }).meta({ id: 'RpcEndpointList' });

export type RpcEndpointWire = z.output<typeof rpcEndpointSchema>;
