import type { EvmChain } from '../../domain/chain.ts';
import type { Block, SourceError } from '../../domain/holding.ts';
import { chunk } from '../../lib/concurrency.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { EvmCall, EvmCaller, EvmCallResult } from '../evm-caller.ts';
import { fetchHead } from './evm-block.ts';
import { callSingly, type ReadOptions, readCalls } from './evm-reads.ts';
import { isTooMuch } from './ladder.ts';
import type { BoundedResult, SlotFault } from './scan-codec.ts';

type CallOptions = { readonly chain: EvmChain; readonly pool: EndpointPool; readonly signal: AbortSignal };

const CALLS_PER_REQUEST = 100;

const FAULT_CODES: Readonly<Record<SlotFault, SourceError['code']>> = {
  reverted: 'upstream_reverted',
  no_code: 'upstream_unsupported',
  bad_return: 'upstream_malformed',
  out_of_gas: 'upstream_out_of_gas',
};

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
    const block = await fetchHead(endpoint, { chain, pool, signal });
    const results: BoundedResult[] = [];
    for (const part of chunk(calls, CALLS_PER_REQUEST)) {
      results.push(...(await readInHalves(part, { chain, endpoint, block, signal })));
    }
    return { block, provider: endpoint.name, results };
  }, signal);
}

/** A run that is too much for the endpoint is cut in two, down to the one call that is at fault, which is then made with a bound on its gas. */
export async function readInHalves(calls: readonly EvmCall[], options: ReadOptions): Promise<readonly BoundedResult[]> {
  try {
    return await readCalls(calls, options);
  } catch (error) {
    if (!isTooMuch(error)) throw error;
    if (calls.length === 1) return callSingly(calls, options);
    const middle = Math.ceil(calls.length / 2);
    const first = await readInHalves(calls.slice(0, middle), options);
    return [...first, ...(await readInHalves(calls.slice(middle), options))];
  }
}

/** A result as those who call see it. */
export function toCallResult(result: BoundedResult, provider: string): EvmCallResult {
  if (typeof result === 'object' && result.size > 0) return { ok: true, data: `0x${result.data}` };
  return { ok: false, error: { code: typeof result === 'object' ? FAULT_CODES.no_code : FAULT_CODES[result], provider } };
}
