import type { AppError, ErrorCode } from '../domain/errors.ts';
import type { Problem } from './schemas/problem.ts';

type HttpFace = { readonly status: number; readonly title: string };
export type ErrorFace = HttpFace & { readonly code: ErrorCode };

/** The one table of errors: the status and title of every code. `/docs/errors` shows it; what more there is to say is in `errorTexts`. */
const httpErrors = {
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_address: { status: 400, title: 'This is not an address' },
  unknown_chain: { status: 400, title: 'There is no such chain' },
  unsupported_name: { status: 400, title: 'Names of this kind cannot be looked up' },
  outbound_refused: { status: 400, title: 'The service does not send to this address' },
  unauthorized: { status: 401, title: 'There is no valid key' },
  forbidden: { status: 403, title: 'The key does not allow this' },
  quota_exceeded: { status: 403, title: 'There are no more of these to be had' },
  name_not_found: { status: 422, title: 'The name has no address' },
  endpoint_unusable: { status: 422, title: 'No endpoint of the chain answers there' },
  not_a_token: { status: 422, title: 'There is no token at this address' },
  wallet_not_found: { status: 404, title: 'There is no such wallet' },
  asset_not_found: { status: 404, title: 'There is no such asset' },
  refresh_not_found: { status: 404, title: 'There is no such refresh' },
  transaction_not_found: { status: 404, title: 'There is no such transaction' },
  backfill_not_found: { status: 404, title: 'The past of this wallet was never asked for' },
  snapshot_not_found: { status: 404, title: 'Nothing had been written down by then' },
  key_not_found: { status: 404, title: 'There is no such key' },
  webhook_not_found: { status: 404, title: 'There is no such webhook' },
  delivery_not_found: { status: 404, title: 'There is no such delivery' },
  alert_not_found: { status: 404, title: 'There is no such alert' },
  endpoint_not_found: { status: 404, title: 'There is no such endpoint' },
  route_not_found: { status: 404, title: 'There is nothing at this path' },
  method_not_allowed: { status: 405, title: 'This path does not take this method' },
  not_acceptable: { status: 406, title: 'The answer is not to be had in this form' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'The request does not fit the present state' },
  duplicate_transaction: { status: 409, title: 'The transaction is there already' },
  transaction_from_chain: { status: 409, title: 'The transaction was read from a chain' },
  idempotency_key_in_use: { status: 409, title: 'The request with this Idempotency-Key is still under way' },
  precondition_failed: { status: 412, title: 'It has changed in the meantime' },
  payload_too_large: { status: 413, title: 'The body is too large' },
  uri_too_long: { status: 414, title: 'The address is too long' },
  unsupported_media_type: { status: 415, title: 'The body is of a kind that is not taken here' },
  idempotency_key_reused: { status: 422, title: 'This Idempotency-Key came with another request' },
  rate_limited: { status: 429, title: 'Too many requests' },
  unknown_host: { status: 421, title: 'The service is not known under this name' },
  headers_too_large: { status: 431, title: 'The address or the headers are too large' },
  internal: { status: 500, title: 'Something went wrong on our side' },
  bad_gateway: { status: 502, title: 'No instance of the service answered' },
  service_unavailable: { status: 503, title: 'The service is not available' },
  gateway_timeout: { status: 504, title: 'The service did not answer in time' },
  database_unavailable: { status: 503, title: 'The database cannot be reached' },
  shutting_down: { status: 503, title: 'The service is stopping' },
  upstream_timeout: { status: 504, title: 'An endpoint did not answer in time' },
  upstream_unreachable: { status: 502, title: 'An endpoint could not be reached' },
  upstream_too_large: { status: 502, title: 'An endpoint sent a larger answer than allowed' },
  upstream_redirect: { status: 502, title: 'An endpoint answered with a redirect' },
  upstream_encoding: { status: 502, title: 'An endpoint encoded its answer against our request' },
  upstream_malformed: { status: 502, title: 'An endpoint sent an answer that makes no sense' },
  upstream_rate_limited: { status: 503, title: 'An endpoint allows no more requests for now' },
  upstream_unauthorized: { status: 502, title: 'An endpoint refused our credentials' },
  upstream_status: { status: 502, title: 'An endpoint answered with an error status' },
  upstream_unsupported: { status: 502, title: 'The endpoints do not offer what is needed' },
  upstream_out_of_gas: { status: 502, title: 'An endpoint ran out of gas' },
  upstream_wrong_chain: { status: 502, title: 'An endpoint serves another chain' },
  upstream_block_unavailable: { status: 502, title: 'An endpoint does not have the block' },
  upstream_no_history: { status: 502, title: 'The endpoints do not keep the past of the chain' },
  upstream_rpc_error: { status: 502, title: 'An endpoint answered with an RPC error' },
  upstream_reverted: { status: 502, title: 'The call was reverted on the chain' },
  upstream_no_endpoint: { status: 503, title: 'No endpoint of the chain can be used' },
  upstream_aborted: { status: 503, title: 'The call was given up' },
} as const satisfies Record<ErrorCode, HttpFace>;

/** Every code with its face, in the order of the table. */
export function listHttpErrors(): readonly ErrorFace[] {
  return Object.keys(httpErrors)
    .filter(isErrorCode)
    .map((code) => ({ code, ...httpErrors[code] }));
}

/** Whether a text is a code. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(httpErrors, text);
}

/** The status and title of a code. */
export function httpFaceOf(code: ErrorCode): HttpFace {
  return httpErrors[code];
}

const GENERIC_DETAILS: Readonly<Record<number, string>> = {
  500: 'Quote the request id when you report this.',
  502: 'What is stored already is not affected. Try again later.',
  503: 'Try again shortly.',
  504: 'What is stored already is not affected. Try again later.',
};

/** Most faults of one request that an answer lists. */
const MAX_ISSUES = 20;

/**
 * The problem document of an error. What went wrong on our side or beyond it is told in general words only: the log has the rest under the
 * same request id.
 */
export function toProblem(
  error: AppError,
  { instance, requestId }: { readonly instance: string; readonly requestId: string },
): Problem {
  const { status, title } = httpErrors[error.code];
  return {
    type: `/docs/errors/${error.code}`,
    title,
    status,
    detail: GENERIC_DETAILS[status] ?? error.message,
    instance,
    code: error.code,
    request_id: requestId,
    errors: error.issues.slice(0, MAX_ISSUES).map(({ pointer, code, message }) => ({ pointer, code, message })),
  };
}

/** The headers that go with a problem: what kind of key is asked for, and when to try again, if that is known. */
export function problemHeaders(error: AppError): Readonly<Record<string, string>> {
  if (error.code === 'unauthorized') return { 'WWW-Authenticate': 'Bearer realm="chainfolio"' };
  if (error.retryAfterMs === undefined) return {};
  return { 'Retry-After': Math.max(1, Math.ceil(error.retryAfterMs / 1000)).toString() };
}
