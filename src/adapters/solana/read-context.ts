import type { SolanaChain } from '../../domain/chain.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';

/** What every read of the chain needs. */
export type ReadContext = { readonly chain: SolanaChain; readonly pool: EndpointPool; readonly signal: AbortSignal };
