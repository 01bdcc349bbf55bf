import { AppError } from '../../../domain/errors.ts';
import type { EndpointPool } from '../../../lib/json-rpc/pool/endpoint-pool.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { learn, recall } from '../learnt.ts';

const KEY = 'evm-no-past-until';

/**
 * The endpoints of a pool, asked for the state of a past block. One that answers that it has none is not asked for that block or an older one again for a while; reads of the newest block go on as if nothing had
 * been. The task runs with what was learnt of the past alone: what an endpoint did not do then may work well now.
 */
export function askPast(pool: Pick<EndpointPool, 'run'>, blockNumber: bigint): Pick<EndpointPool, 'run'> {
  return {
    run: (task, signal) =>
      pool.run(async (endpoint, ownSignal) => {
        const twin = twinOf(endpoint);
        const pruned = recall(twin, KEY);
        if (typeof pruned === 'bigint' && blockNumber <= pruned) throw noHistory(endpoint);
        try {
          return await task(twin, ownSignal);
        } catch (error) {
          if (!isNoHistory(error)) throw error;
          learn(twin, KEY, typeof pruned === 'bigint' && pruned > blockNumber ? pruned : blockNumber);
          throw noHistory(endpoint, error);
        }
      }, signal),
  };
}

const twins = new WeakMap<RpcEndpoint, RpcEndpoint>();

function twinOf(endpoint: RpcEndpoint): RpcEndpoint {
  const known = twins.get(endpoint);
  if (known !== undefined) return known;
  const twin = { ...endpoint, learnt: new Map<string, unknown>() };
  twins.set(endpoint, twin);
  return twin;
}

/** Nodes that keep no states have the same words for a block whose state is gone and for one that they never had: an old block is gone either way. */
function isNoHistory(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'upstream_no_history' || error.code === 'upstream_block_unavailable');
}

function noHistory({ name }: RpcEndpoint, cause?: unknown): AppError {
  return new AppError('upstream_no_history', `${name} does not keep this past.`, { provider: name, cause });
}
