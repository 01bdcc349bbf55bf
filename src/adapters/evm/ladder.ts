import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';

/**
 * The ways to make many reads in one request, best first. `override`: the scanner's code put at an unused address for the length of the call;
 * `deployless`: the scanner run as a constructor; `multicall`: the deployed Multicall3; `single`: a batch of plain calls.
 */
export const RUNGS = ['override', 'deployless', 'multicall', 'single'] as const;
export type Rung = (typeof RUNGS)[number];

/** After this long an endpoint that refused a better way is offered it again. */
const RELEARN_AFTER_MS = 10 * 60_000;
const LEARNT_KEY = 'evm-rung';

/** Refusals that a plainer way may get round. A revert is the scanner's own word for too little gas and no refusal. */
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_rpc_error', 'upstream_malformed']);

/** Makes the reads by the best way the endpoint takes, and remembers which that is. */
export async function climb<T>(endpoint: RpcEndpoint, ways: Readonly<Record<Rung, () => Promise<T>>>): Promise<T> {
  for (;;) {
    const rung = currentRung(endpoint);
    try {
      return await ways[rung]();
    } catch (error) {
      const next = RUNGS[RUNGS.indexOf(rung) + 1];
      if (next === undefined || !(error instanceof AppError) || !REFUSALS.has(error.code)) throw error;
      // Several calls in flight may learn the same thing: none may take another's better knowledge back.
      if (RUNGS.indexOf(next) > RUNGS.indexOf(currentRung(endpoint))) learnRung(endpoint, next);
    }
  }
}

/** The way that is used with an endpoint now. */
export function currentRung(endpoint: RpcEndpoint): Rung {
  const learnt = endpoint.learnt.get(LEARNT_KEY);
  return isLearnt(learnt) && learnt.until > Date.now() ? learnt.rung : RUNGS[0];
}

/** Uses this way with the endpoint from now on, until it is time to try again. */
export function learnRung(endpoint: RpcEndpoint, rung: Rung): void {
  endpoint.learnt.set(LEARNT_KEY, { rung, until: Date.now() + RELEARN_AFTER_MS });
}

function isLearnt(value: unknown): value is { rung: Rung; until: number } {
  return typeof value === 'object' && value !== null && 'rung' in value && 'until' in value;
}
