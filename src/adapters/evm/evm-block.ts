import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { Block } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { RpcCall, RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';
import { readHexData, readHexQuantity } from './hex.ts';

/** A block with its hash, which on EVM chains every endpoint tells. */
export type EvmBlock = Block & { readonly hash: string };

const CHAIN_ID: RpcCall = { method: 'eth_chainId', params: [] };

/** The block of a number. Throws upstream_block_unavailable when the endpoint does not have it. */
export async function fetchBlock(endpoint: RpcEndpoint, number: bigint, signal: AbortSignal): Promise<EvmBlock> {
  const block = readBlock(await endpoint.call(blockCall(`0x${number.toString(16)}`), { signal }), endpoint.name);
  if (block.number !== number) throw noBlock(endpoint.name);
  return block;
}

/**
 * The newest block of an endpoint, with its chain checked in the same request: the chain behind a URL can change at any time, and a read that is pinned to
 * a block's hash cannot leave the chain it began on. Throws upstream_wrong_chain.
 */
async function fetchNewestBlock(endpoint: RpcEndpoint, chain: EvmChain, signal: AbortSignal): Promise<EvmBlock> {
  const [block, chainId] = await endpoint.batch([blockCall('latest'), CHAIN_ID], { signal });
  requireChain(resultOf(chainId, endpoint.name), chain, endpoint.name);
  return readBlock(resultOf(block, endpoint.name), endpoint.name);
}

/**
 * The newest block of an endpoint of the pool. Throws upstream_block_unavailable when it is older than what was read before: figures never go back to an
 * earlier block.
 */
export async function fetchHead(
  endpoint: RpcEndpoint,
  { chain, pool, signal }: { readonly chain: EvmChain; readonly pool: EndpointPool; readonly signal: AbortSignal },
): Promise<EvmBlock> {
  const block = await fetchNewestBlock(endpoint, chain, signal);
  pool.heads.note(endpoint, block.number);
  const tip = pool.heads.tip();
  if (tip === undefined || block.number >= tip) return block;
  const provider = endpoint.name;
  throw new AppError('upstream_block_unavailable', `${provider} is behind what was read before.`, { provider });
}

/** A check for the endpoint pool: throws upstream_wrong_chain when the endpoint serves another chain. */
export function verifyEvmChain(chain: EvmChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void> {
  return async (endpoint, signal) => requireChain(await endpoint.call(CHAIN_ID, { signal }), chain, endpoint.name);
}

/** A probe for the endpoint pool: the newest block, asked for as reads ask for it. */
export function probeEvmHead(chain: EvmChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<bigint> {
  return async (endpoint, signal) => (await fetchNewestBlock(endpoint, chain, signal)).number;
}

function blockCall(tag: string): RpcCall {
  return { method: 'eth_getBlockByNumber', params: [tag, false] };
}

function resultOf(item: RpcItem | undefined, provider: string): unknown {
  if (item === undefined) throw noBlock(provider);
  if (!item.ok) throw item.error;
  return item.value;
}

function readBlock(answer: unknown, provider: string): EvmBlock {
  if (answer === null) throw new AppError('upstream_block_unavailable', `${provider} does not have the block.`, { provider });
  const header = typeof answer === 'object' ? answer : {};
  const number = 'number' in header ? readHexQuantity(header.number) : undefined;
  const hash = 'hash' in header ? readHexData(header.hash) : undefined;
  if (number === undefined || hash?.length !== 64) throw noBlock(provider);
  return { number, hash: `0x${hash}` };
}

function requireChain(answer: unknown, { chainId, name }: EvmChain, provider: string): void {
  const found = readHexQuantity(answer);
  if (found === undefined) throw new AppError('upstream_malformed', `${provider} sent no chain id.`, { provider });
  if (found !== BigInt(chainId)) {
    throw new AppError('upstream_wrong_chain', `${provider} serves chain ${found}, not ${name}.`, { provider });
  }
}

function noBlock(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent no block.`, { provider });
}
