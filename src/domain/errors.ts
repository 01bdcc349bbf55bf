/** Every error that can reach a user, by its stable code. The HTTP face of each is in `api/http-errors.ts`. */
export type ErrorCode =
  // The caller's fault.
  | 'invalid_request'
  | 'invalid_address'
  | 'invalid_json'
  | 'unknown_chain'
  | 'unsupported_name'
  | 'name_not_found'
  | 'not_a_token'
  | 'wallet_not_found'
  | 'asset_not_found'
  | 'refresh_not_found'
  | 'backfill_not_found'
  | 'transaction_not_found'
  | 'snapshot_not_found'
  | 'key_not_found'
  | 'webhook_not_found'
  | 'delivery_not_found'
  | 'alert_not_found'
  | 'endpoint_not_found'
  | 'endpoint_unusable'
  | 'unauthorized'
  | 'forbidden'
  | 'quota_exceeded'
  | 'idempotency_key_in_use'
  | 'idempotency_key_reused'
  | 'precondition_failed'
  | 'outbound_refused'
  | 'route_not_found'
  | 'method_not_allowed'
  | 'not_acceptable'
  | 'payload_too_large'
  | 'unsupported_media_type'
  | 'request_timeout'
  | 'headers_too_large'
  | 'conflict'
  | 'duplicate_transaction'
  | 'transaction_from_chain'
  | 'rate_limited'
  // What the proxy in front of the instances answers by itself: see nginx.conf.
  | 'uri_too_long'
  | 'unknown_host'
  | 'bad_gateway'
  | 'service_unavailable'
  | 'gateway_timeout'
  // A dependency of ours.
  | 'database_unavailable'
  | 'shutting_down'
  | 'internal'
  // An endpoint of a chain or a price source.
  | UpstreamErrorCode;

/** What can go wrong with a call to an endpoint that is not ours. */
export type UpstreamErrorCode =
  | 'upstream_timeout'
  | 'upstream_unreachable'
  | 'upstream_too_large'
  | 'upstream_redirect'
  | 'upstream_encoding'
  | 'upstream_malformed'
  | 'upstream_rate_limited'
  | 'upstream_unauthorized'
  | 'upstream_status'
  | 'upstream_unsupported'
  | 'upstream_out_of_gas'
  | 'upstream_wrong_chain'
  | 'upstream_block_unavailable'
  | 'upstream_no_history'
  | 'upstream_rpc_error'
  | 'upstream_reverted'
  | 'upstream_no_endpoint'
  | 'upstream_aborted';

export type AppErrorOptions = {
  readonly cause?: unknown;
  /** Who failed: the masked name of an endpoint or the id of a price source. Never a URL with a key. */
  readonly provider?: string;
  /** The earliest useful moment for a new try, when the other side named one. */
  readonly retryAfterMs?: number;
  /** Where in the request the fault is: JSON pointers with a text each. */
  readonly issues?: readonly RequestIssue[];
};

export type RequestIssue = { readonly pointer: string; readonly code: string; readonly message: string };

/** The one error class of the project: a stable code, a text fit for a stranger's eyes, and the cause for the log. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;
  readonly provider: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly issues: readonly RequestIssue[];

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.provider = options.provider;
    this.retryAfterMs = options.retryAfterMs;
    this.issues = options.issues ?? [];
  }
}

/** Any thrown value as an AppError: itself if it is one, else `internal` with the value as its cause. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  return new AppError('internal', 'Something went wrong on our side.', { cause: thrown });
}
