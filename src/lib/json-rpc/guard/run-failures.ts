import { AppError } from '../../../domain/errors.ts';
import type { EndpointMember } from '../pool/endpoint-member.ts';
import { adviseRetry } from './retry-advice.ts';

/** How the endpoints failed that were asked in one run. */
export type RunFailures = {
  /** Throws what no other endpoint can help. */
  note(error: unknown, member: EndpointMember): void;
  /** @throws AppError `upstream_aborted` */
  endIfAborted(signal: AbortSignal): void;
  /** Whether it was always the endpoint's own fault, so that even a bad one may do better. */
  areAllFaults(): boolean;
  /** The last endpoint, if it may well answer a moment later. */
  worthRepeating(): EndpointMember | undefined;
  /** The error to tell. */
  told(): AppError;
};

const ABSENCES: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_no_history']);

export function createRunFailures(): RunFailures {
  let last: { readonly error: AppError; readonly member: EndpointMember } | undefined;
  let areFaults = true;
  return {
    note(error, member) {
      if (!(error instanceof AppError) || !adviseRetry(error.code).elsewhere) throw error;
      // Those who lack the past say nothing of one that has it and is bad.
      areFaults &&= adviseRetry(error.code).blamesEndpoint || error.code === 'upstream_no_history';
      // One that failed otherwise might have supported it: "unsupported" would say too much.
      if (last === undefined || !ABSENCES.has(error.code)) last = { error, member };
    },
    endIfAborted(signal) {
      if (signal.aborted) throw new AppError('upstream_aborted', 'The call was given up.', { cause: last?.error });
    },
    areAllFaults: () => areFaults,
    worthRepeating: () => (last !== undefined && adviseRetry(last.error.code).here ? last.member : undefined),
    told: () => last?.error ?? new AppError('upstream_no_endpoint', 'No endpoint is configured for this chain.'),
  };
}
