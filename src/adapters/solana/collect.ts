import { AppError, toAppError } from '../../domain/errors.ts';
import type { EndpointPool } from '../../lib/json-rpc/pool/endpoint-pool.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';

type CollectOptions<T> = {
  readonly pool: EndpointPool;
  readonly signal: AbortSignal;
  /** Asks one endpoint; what it could not tell is an AppError. */
  readonly fetch: (keys: readonly string[], endpoint: RpcEndpoint) => Promise<ReadonlyMap<string, T | AppError>>;
};

/**
 * Asks endpoint after endpoint for what is still missing, so that one that serves a part of the keys costs nothing of that part. One outcome for
 * each key: its value, or the error of the last endpoint asked.
 */
export async function collect<T>(
  keys: readonly string[],
  { pool, signal, fetch }: CollectOptions<T>,
): Promise<ReadonlyMap<string, T | AppError>> {
  const found = new Map<string, T>();
  const errors = new Map<string, AppError>();
  const ask = async (endpoint: RpcEndpoint): Promise<void> => {
    const missing = keys.filter((key) => !found.has(key));
    for (const [key, outcome] of await fetch(missing, endpoint)) {
      if (outcome instanceof AppError) errors.set(key, outcome);
      else found.set(key, outcome);
    }
    for (const key of missing) {
      const error = found.has(key) ? undefined : errors.get(key);
      if (error !== undefined) throw error;
    }
  };
  let failure: AppError | undefined;
  try {
    if (keys.length > 0) await pool.run(ask, signal);
  } catch (error) {
    failure = toAppError(error);
  }
  const silent = failure ?? new AppError('upstream_malformed', 'An endpoint left out what it was asked for.');
  return new Map(keys.map((key) => [key, found.get(key) ?? errors.get(key) ?? silent]));
}
