import type { RpcEndpoint } from './rpc-endpoint.ts';

/**
 * The endpoints of one chain, in order of preference. `run` hands a task a verified endpoint (its chain id or genesis hash has
 * been checked) and moves on to the next one when the task throws an AppError that another endpoint might not throw. Health
 * states, breakers and hedging belong here and nowhere else.
 */
export type EndpointPool = {
  /** Runs the task on the first endpoint that serves it. Rejects with the last endpoint's AppError when none does. */
  run<T>(task: (endpoint: RpcEndpoint) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** The masked names, in order. */
  readonly names: readonly string[];
};
