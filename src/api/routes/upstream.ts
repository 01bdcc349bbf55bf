import type { ErrorCode } from '../../domain/errors.ts';

/** What a request can meet that has to ask a chain before it can be answered. */
const UPSTREAM_ERRORS = [
  'upstream_timeout',
  'upstream_unreachable',
  'upstream_rate_limited',
  'upstream_no_endpoint',
] as const satisfies readonly ErrorCode[];

export const NAME_ERRORS: readonly ErrorCode[] = [
  'invalid_address',
  'unknown_chain',
  'unsupported_name',
  'name_not_found',
  ...UPSTREAM_ERRORS,
];

export const TOKEN_ERRORS: readonly ErrorCode[] = ['invalid_address', 'unknown_chain', 'not_a_token', ...UPSTREAM_ERRORS];

/** Just under the 60 s after which proxies give up on an answer. */
const DEADLINE_MS = 55_000;

/** The signal of a request that asks a chain, with an end to its patience. */
export function withDeadline(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)]);
}
