import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { Block } from '../../domain/holding.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { readHexData, readHexQuantity } from './hex.ts';

/** A block with its hash, which on EVM chains every endpoint tells. */
export type EvmBlock = Block & { readonly hash: string };

/** The block of a number, or the newest one. Throws upstream_block_unavailable when the endpoint does not have it. */
export async function fetchBlock(endpoint: RpcEndpoint, number: bigint | 'latest', signal: AbortSignal): Promise<EvmBlock> {
  const tag = number === 'latest' ? number : `0x${number.toString(16)}`;
  const answer = await endpoint.call({ method: 'eth_getBlockByNumber', params: [tag, false] }, { signal });
  const provider = endpoint.name;
  if (answer === null) throw new AppError('upstream_block_unavailable', `${provider} does not have the block.`, { provider });
  const header = typeof answer === 'object' ? answer : {};
  const found = 'number' in header ? readHexQuantity(header.number) : undefined;
  const hash = 'hash' in header ? readHexData(header.hash) : undefined;
  if (found === undefined || hash?.length !== 64 || (number !== 'latest' && found !== number)) {
    throw new AppError('upstream_malformed', `${provider} sent no block.`, { provider });
  }
  return { number: found, hash: `0x${hash}` };
}

/** A check for the endpoint pool: throws upstream_wrong_chain when the endpoint serves another chain. */
export function verifyEvmChain({ chainId, name }: EvmChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void> {
  return async (endpoint, signal) => {
    const provider = endpoint.name;
    const answer = readHexQuantity(await endpoint.call({ method: 'eth_chainId', params: [] }, { signal }));
    if (answer === undefined) throw new AppError('upstream_malformed', `${provider} sent no chain id.`, { provider });
    if (answer !== BigInt(chainId)) {
      throw new AppError('upstream_wrong_chain', `${provider} serves chain ${answer}, not ${name}.`, { provider });
    }
  };
}
