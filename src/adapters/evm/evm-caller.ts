import type { EvmChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import type { Block } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import type { EvmCall, EvmCaller, EvmCallResult } from '../evm-caller.ts';
import { type EvmBlock, fetchBlock } from './evm-block.ts';
import { readCalls } from './evm-reads.ts';
import type { BoundedResult } from './scan-codec.ts';

type CallOptions = { readonly chain: EvmChain; readonly pool: EndpointPool; readonly signal: AbortSignal };

export function createEvmCaller({ chain, pool }: Omit<CallOptions, 'signal'>): EvmCaller {
  return {
    async callMany(calls, signal) {
      const { block, provider, results } = await callAtNewestBlock(calls, { chain, pool, signal });
      return { block, results: results.map((result) => toCallResult(result, provider)) };
    },
  };
}

/** Makes all calls at the newest block of the first endpoint that serves them. Throws AppError when none does. */
export async function callAtNewestBlock(
  calls: readonly EvmCall[],
  { chain, pool, signal }: CallOptions,
): Promise<{ readonly block: Block; readonly provider: string; readonly results: readonly BoundedResult[] }> {
  return pool.run(async (endpoint) => {
    const block = await fetchBlock(endpoint, 'latest', signal);
    return { block, provider: endpoint.name, results: await readInHalves(calls, { chain, endpoint, block, signal }) };
  }, signal);
}

type ReadOptions = {
  readonly chain: EvmChain;
  readonly endpoint: RpcEndpoint;
  readonly block: EvmBlock;
  readonly signal: AbortSignal;
};

/** A run that is too much for the endpoint is cut in two, down to the one call that is at fault. */
async function readInHalves(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  const { chain, endpoint, block, signal } = options;
  try {
    return await readCalls(calls, { chain, endpoint, blockNumber: block.number, signal });
  } catch (error) {
    if (!(error instanceof AppError) || !isTooMuch(error)) throw error;
    if (calls.length === 1) return ['out_of_gas'];
    const middle = Math.ceil(calls.length / 2);
    const first = await readInHalves(calls.slice(0, middle), options);
    return [...first, ...(await readInHalves(calls.slice(middle), options))];
  }
}

function isTooMuch({ code }: AppError): boolean {
  return code === 'upstream_out_of_gas' || code === 'upstream_too_large' || code === 'upstream_reverted';
}

function toCallResult(result: BoundedResult, provider: string): EvmCallResult {
  if (typeof result === 'object') return { ok: true, data: `0x${result.data}` };
  const code =
    result === 'no_code' ? 'upstream_unsupported' : result === 'out_of_gas' ? 'upstream_out_of_gas' : 'upstream_reverted';
  return { ok: false, error: { code, provider } };
}
