import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { Block } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import { acceptHead } from '../../lib/json-rpc/pool/head-monitor.ts';
import type { RpcCall, RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';
import { readHexData, readHexQuantity } from './hex.ts';

/** A block with its hash, which on EVM chains every endpoint tells. */
export type EvmBlock = Block & {
  readonly hash: string;
  /** When it was made, by its own word; undefined where it does not say. */
  readonly madeAt: Date | undefined;
};

const LAG_MS = 20_000;
const FINAL_AFTER_MS = 15 * 60_000;
const CHAIN_ID: RpcCall = { method: 'eth_chainId', params: [] };

/** The block of a number. Throws upstream_block_unavailable when the endpoint does not have it. */
export async function fetchBlock(endpoint: RpcEndpoint, number: bigint, signal: AbortSignal): Promise<EvmBlock> {
  const block = readBlock(await endpoint.call(blockCall(toHex(number)), { signal }), endpoint.name);
  if (block.number !== number) throw noBlock(endpoint.name);
  return block;
}

/**
 * The newest block of an endpoint that no reorganisation undoes, with its chain checked in the same request: the one the chain itself calls final, or where the endpoint has no word for that, one of a quarter of an hour ago.
 * A little behind the head in any case: the nodes behind one URL may be that far apart, and what a node does not have yet it tells as nothing.
 */
export async function fetchFinalBlock(endpoint: RpcEndpoint, chain: EvmChain, signal: AbortSignal): Promise<EvmBlock> {
  const { tag, blockTimeMs } = chain.finality;
  const [latest, final, chainId] = await endpoint.batch([blockCall('latest'), blockCall(tag), CHAIN_ID], { signal });
  requireChain(resultOf(chainId, endpoint.name), chain, endpoint.name);
  const newest = readBlock(resultOf(latest, endpoint.name), endpoint.name);
  const blocksBack = (ms: number): bigint => {
    const number = newest.number - BigInt(Math.ceil(ms / blockTimeMs));
    return number > 0n ? number : 0n;
  };
  const told = final?.ok === true && final.value !== null ? readBlock(final.value, endpoint.name) : undefined;
  if (told !== undefined && told.number <= blocksBack(LAG_MS)) return told;
  return fetchBlock(endpoint, told === undefined ? blocksBack(FINAL_AFTER_MS) : blocksBack(LAG_MS), signal);
}

/** The blocks of some numbers, by number. Throws upstream_block_unavailable when the endpoint lacks one. */
export async function fetchBlocks(
  endpoint: RpcEndpoint,
  numbers: readonly bigint[],
  signal: AbortSignal,
): Promise<ReadonlyMap<bigint, EvmBlock>> {
  const items = await endpoint.batch(
    numbers.map((number) => blockCall(toHex(number))),
    { signal },
  );
  return new Map(
    numbers.map((number, index) => {
      const block = readBlock(resultOf(items[index], endpoint.name), endpoint.name);
      if (block.number !== number) throw noBlock(endpoint.name);
      return [number, block];
    }),
  );
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

/** The newest block of an endpoint of the pool. Throws upstream_block_unavailable when it is older than what was read before. */
export async function fetchHead(
  endpoint: RpcEndpoint,
  { chain, pool, signal }: { readonly chain: EvmChain; readonly pool: EndpointPool; readonly signal: AbortSignal },
): Promise<EvmBlock> {
  const block = await fetchNewestBlock(endpoint, chain, signal);
  acceptHead(pool.heads, endpoint, block.number);
  return block;
}

/** A check for the endpoint pool: throws upstream_wrong_chain when the endpoint serves another chain. */
export function verifyEvmChain(chain: EvmChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<void> {
  return async (endpoint, signal) => requireChain(await endpoint.call(CHAIN_ID, { signal }), chain, endpoint.name);
}

/** A probe for the endpoint pool: the newest block, asked for as reads ask for it. */
export function probeEvmHead(chain: EvmChain): (endpoint: RpcEndpoint, signal: AbortSignal) => Promise<bigint> {
  return async (endpoint, signal) => (await fetchNewestBlock(endpoint, chain, signal)).number;
}

function toHex(number: bigint): string {
  return `0x${number.toString(16)}`;
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
  return { number, hash: `0x${hash}`, madeAt: 'timestamp' in header ? toDate(header.timestamp) : undefined };
}

/** An RPC answer of a time, undefined when it is anything else. */
export function toDate(timestamp: unknown): Date | undefined {
  const seconds = readHexQuantity(timestamp);
  return seconds !== undefined && seconds < MAX_SECONDS ? new Date(Number(seconds) * 1000) : undefined;
}

/** What a JavaScript date can hold. */
const MAX_SECONDS = 8_640_000_000_000n;

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
