import type { RpcEndpointSetting } from '../../domain/rpc-endpoint.ts';
import { maskUrl } from '../../lib/mask-url.ts';
import type { RpcEndpointWire } from '../schemas/rpc-endpoints.ts';

/** An endpoint as clients see it. */
export function presentRpcEndpoint({ id, chain, url, createdAt }: RpcEndpointSetting): RpcEndpointWire {
  return { id, chain, endpoint: maskUrl(url), created_at: createdAt.toISOString() };
}
