import type { SolanaChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { COMMITMENT } from './solana-rpc.ts';

/** A check for the endpoint pool: throws upstream_wrong_chain when the endpoint's cluster began with another block. */
export function verifySolanaCluster({
  genesisHash,
  name,
}: SolanaChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void> {
  return async (endpoint, signal) => {
    const answer = await endpoint.call({ method: 'getGenesisHash', params: [] }, { signal });
    if (answer === genesisHash) return;
    const provider = endpoint.name;
    throw new AppError('upstream_wrong_chain', `${provider} serves another cluster than ${name}.`, { provider });
  };
}

/** The newest slot of an endpoint, at the commitment that reads use; also a probe for the endpoint pool. */
export async function fetchSlot(endpoint: RpcEndpoint, signal: AbortSignal): Promise<bigint> {
  const slot = await endpoint.call({ method: 'getSlot', params: [{ commitment: COMMITMENT }] }, { signal });
  if (typeof slot === 'bigint') return slot;
  throw new AppError('upstream_malformed', `${endpoint.name} sent no slot.`, { provider: endpoint.name });
}
