import type { SolanaChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';

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
