import type { ErrorCode, UpstreamErrorCode } from '../../../domain/errors.ts';

/** What a failure of an endpoint means for the next try. The codes are told apart by chain family in `rpc-errors.ts`. */
export type RetryAdvice = {
  /** Whether the same endpoint may well answer the same question a moment later. */
  readonly here: boolean;
  /** Whether another endpoint may answer it. */
  readonly elsewhere: boolean;
  /** Whether it speaks against the endpoint, rather than against what it was asked. */
  readonly blamesEndpoint: boolean;
};

/** What comes of a call to an endpoint. */
type CallErrorCode = UpstreamErrorCode | 'outbound_refused';

const ADVICE: Readonly<Record<CallErrorCode, RetryAdvice>> = {
  upstream_timeout: { here: false, elsewhere: true, blamesEndpoint: true },
  // A connection that the other side had closed, most often.
  upstream_unreachable: { here: true, elsewhere: true, blamesEndpoint: true },
  upstream_malformed: { here: true, elsewhere: true, blamesEndpoint: true },
  upstream_status: { here: true, elsewhere: true, blamesEndpoint: true },
  upstream_redirect: { here: false, elsewhere: true, blamesEndpoint: true },
  upstream_encoding: { here: false, elsewhere: true, blamesEndpoint: true },
  upstream_unauthorized: { here: false, elsewhere: true, blamesEndpoint: true },
  // The name of an endpoint that a user has set leads to where users may not send.
  outbound_refused: { here: false, elsewhere: true, blamesEndpoint: true },
  upstream_wrong_chain: { here: false, elsewhere: true, blamesEndpoint: true },
  // Who goes on asking after a refusal is refused for longer.
  upstream_rate_limited: { here: false, elsewhere: true, blamesEndpoint: false },
  upstream_too_large: { here: false, elsewhere: true, blamesEndpoint: false },
  upstream_unsupported: { here: false, elsewhere: true, blamesEndpoint: false },
  upstream_out_of_gas: { here: false, elsewhere: true, blamesEndpoint: false },
  // Whoever reads starts again, further back.
  upstream_block_unavailable: { here: false, elsewhere: true, blamesEndpoint: false },
  // Most endpoints keep the last blocks only; they serve those as well as any.
  upstream_no_history: { here: false, elsewhere: true, blamesEndpoint: false },
  upstream_rpc_error: { here: false, elsewhere: true, blamesEndpoint: false },
  upstream_reverted: { here: false, elsewhere: false, blamesEndpoint: false },
  upstream_no_endpoint: { here: false, elsewhere: false, blamesEndpoint: false },
  upstream_aborted: { here: false, elsewhere: false, blamesEndpoint: false },
};

/** For an answer that the task made of what it read (`name_not_found`): every endpoint would lead to the same. */
const FINAL: RetryAdvice = { here: false, elsewhere: false, blamesEndpoint: false };

/** Where a call that failed with this code is worth another try, and whether the endpoint is to blame. */
export function adviseRetry(code: ErrorCode): RetryAdvice {
  return isOfCall(code) ? ADVICE[code] : FINAL;
}

function isOfCall(code: ErrorCode): code is CallErrorCode {
  return Object.hasOwn(ADVICE, code);
}
