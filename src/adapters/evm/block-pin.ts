import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import type { EvmBlock } from './evm-block.ts';
import { learn, recall } from './learnt.ts';

/** The block of a call, as JSON-RPC takes it: EIP-1898 names it by hash, which no reorganisation can turn into another block. */
export type BlockPin = string | { readonly blockHash: string };

const KEY = 'evm-block-pin';
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_rpc_error']);

/** Sends a request pinned by the block's hash, or by its number to an endpoint that takes no hashes there. */
export async function withBlockPin<T>(
  { endpoint, block }: { readonly endpoint: RpcEndpoint; readonly block: EvmBlock },
  send: (pin: BlockPin) => Promise<T>,
): Promise<T> {
  const byNumber = `0x${block.number.toString(16)}`;
  if (isPinnedByNumber(endpoint)) return send(byNumber);
  try {
    return await send({ blockHash: block.hash });
  } catch (error) {
    if (!(error instanceof AppError) || !REFUSALS.has(error.code)) throw error;
    // If the number is refused as well, the hash was not the reason.
    const result = await send(byNumber);
    learn(endpoint, KEY, 'number');
    return result;
  }
}

/** Whether reads from this endpoint name their block by number, so that someone must check that it still means the same block. */
export function isPinnedByNumber(endpoint: RpcEndpoint): boolean {
  return recall(endpoint, KEY) === 'number';
}
