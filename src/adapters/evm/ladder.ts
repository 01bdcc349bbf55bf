import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { learn, recall } from './learnt.ts';

/**
 * The ways to make many reads in one request, best first. `override`: the scanner's code put at an unused address for the length of the call;
 * `deployless`: the scanner run as a constructor; `multicall`: the deployed Multicall3; `single`: a batch of plain calls.
 */
export const RUNGS = ['override', 'deployless', 'multicall', 'single'] as const;
export type Rung = (typeof RUNGS)[number];

const KEY = 'evm-rung';

/** Refusals that a plainer way may get round. */
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_rpc_error']);

/** Failures that a smaller request may not have: the way as such works. The scanner reverts when its gas runs low. */
const TOO_MUCH: ReadonlySet<string> = new Set(['upstream_out_of_gas', 'upstream_too_large', 'upstream_reverted']);

/** Whether a request failed for its size, so that its halves may pass. */
export function isTooMuch(error: unknown): boolean {
  return error instanceof AppError && TOO_MUCH.has(error.code);
}

/** Makes the reads by the best way the endpoint takes, and remembers which that is. */
export async function climb<T>(endpoint: RpcEndpoint, ways: Readonly<Record<Rung, () => Promise<T>>>): Promise<T> {
  const first = currentRung(endpoint);
  let refusal: unknown;
  for (const rung of RUNGS.slice(RUNGS.indexOf(first))) {
    try {
      const result = await ways[rung]();
      if (rung !== first) stepDown(endpoint, rung);
      return result;
    } catch (error) {
      if (rung !== first && isTooMuch(error)) stepDown(endpoint, rung);
      if (!(error instanceof AppError) || !REFUSALS.has(error.code)) throw error;
      refusal = error;
    }
  }
  throw refusal;
}

/** The way that is used with an endpoint now. */
export function currentRung(endpoint: RpcEndpoint): Rung {
  const learnt = recall(endpoint, KEY);
  return RUNGS.find((rung) => rung === learnt) ?? RUNGS[0];
}

/** Uses this way from now on, unless a request in flight has already learnt that a still plainer one is needed. */
export function stepDown(endpoint: RpcEndpoint, rung: Rung): void {
  if (RUNGS.indexOf(rung) > RUNGS.indexOf(currentRung(endpoint))) learn(endpoint, KEY, rung);
}
