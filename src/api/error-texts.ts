import type { ErrorCode, UpstreamErrorCode } from '../domain/errors.ts';
import { upstreamErrorTexts } from './upstream-error-texts.ts';

/** What the page of a code tells. Words in backquotes are code. */
export type ErrorText = {
  readonly meaning: string;
  /** When it happens. */
  readonly cause: string;
  /** What to do about it. */
  readonly remedy: string;
};

const ownErrorTexts = {
  invalid_request: {
    meaning: 'A part of the request is not what this operation takes.',
    cause: 'A parameter, header or field is missing, unknown, given twice, too long or of another form. Nothing was changed.',
    remedy: 'Look at `errors`: each entry points to one fault. The schema of the operation is in the API document.',
  },
  invalid_address: {
    meaning: 'The text is no address of the chain or chains it was given for.',
    cause: 'The checksum of an address is wrong, letters are missing, or it belongs to another family of chains.',
    remedy: 'Copy the address again from your wallet, all of it, and check the chain.',
  },
  invalid_json: {
    meaning: 'The body cannot be read as a JSON object.',
    cause: 'It is cut off, has a comma too many, is nested too deep, or is a plain value.',
    remedy: 'Send one JSON object in UTF-8.',
  },
  unknown_chain: {
    meaning: 'No chain with this slug is followed here.',
    cause: 'The slug is misspelt, or this service does not read the chain.',
    remedy: 'Take the slug from `GET /api/v1/chains`.',
  },
  unsupported_name: {
    meaning: 'Names of this kind are not looked up.',
    cause: 'Only names that end in .eth or .sol are, and of those not every form.',
    remedy: 'Add the address that the name stands for.',
  },
  name_not_found: {
    meaning: 'The name has no address.',
    cause: 'Nobody owns the name, or its owner has set no address for this chain.',
    remedy: 'Check how it is spelt, or add the address itself.',
  },
  not_a_token: {
    meaning: 'The contract at this address does not behave like a token.',
    cause: 'The address is that of a wallet or of another contract, or the token is on another chain.',
    remedy: 'Look the token up in an explorer of that chain and copy its contract address.',
  },
  wallet_not_found: {
    meaning: 'There is no wallet of this id among yours.',
    cause: 'It was removed, or the id is that of something else.',
    remedy: 'List the wallets to see what is followed.',
  },
  asset_not_found: {
    meaning: 'There is no asset of this id.',
    cause: 'The id is misspelt, or the asset was never held or added.',
    remedy: 'List the assets. They are found by UUID or by CAIP-19 id.',
  },
  refresh_not_found: {
    meaning: 'There is no refresh of this id among yours.',
    cause: 'Refreshes are forgotten some time after they ended.',
    remedy: 'Read the portfolio: its sources say when each was read last.',
  },
  backfill_not_found: {
    meaning: 'The past of this wallet was never asked for.',
    cause: 'No reading of its past was started, so that there is none to tell of.',
    remedy: 'Start one with `POST /api/v1/wallets/{id}/backfill`.',
  },
  transaction_not_found: {
    meaning: 'There is no transaction of this id among yours.',
    cause: 'It was deleted, or the id is that of something else.',
    remedy: 'List the transactions.',
  },
  snapshot_not_found: {
    meaning: 'Nothing had been written down by the time that was asked for.',
    cause: 'The first snapshot was taken later: the service was not running, or no wallet was followed yet.',
    remedy: 'Ask for a later time, or read the past of your wallets.',
  },
  key_not_found: {
    meaning: 'There is no API key of this id among yours.',
    cause: 'It is long gone, or the id is misspelt.',
    remedy: 'List the keys.',
  },
  webhook_not_found: {
    meaning: 'There is no webhook of this id among yours.',
    cause: 'It was deleted, or the id is that of something else.',
    remedy: 'List the webhooks.',
  },
  delivery_not_found: {
    meaning: 'The webhook has no delivery of this id.',
    cause: 'Deliveries are kept for some days only.',
    remedy: 'List the deliveries of the webhook.',
  },
  alert_not_found: {
    meaning: 'There is no alert of this id among yours.',
    cause: 'It was deleted, or the id is that of something else.',
    remedy: 'List the alerts.',
  },
  endpoint_not_found: {
    meaning: 'There is no endpoint of this id that was set by a user.',
    cause: 'It was deleted, or it comes from the configuration of the service.',
    remedy: 'List the endpoints.',
  },
  endpoint_unusable: {
    meaning: 'Nothing at this address serves the chain, so the endpoint was not set.',
    cause: 'It does not answer, answers something other than JSON-RPC, refuses its key, or serves another chain.',
    remedy: 'Look at the URL and its key, and try again.',
  },
  unauthorized: {
    meaning: 'The request carries no key that is valid.',
    cause: 'The key is missing, misspelt, expired or revoked, or it stands in the address, where it is never taken.',
    remedy: 'Send `Authorization: Bearer` with your key. Whoever runs the service can make a new one.',
  },
  forbidden: {
    meaning: 'The key is valid and does not allow this.',
    cause: 'It lacks the scope that the operation or a parameter takes: `detail` names it.',
    remedy: 'Use a key with that scope, or leave the parameter out.',
  },
  quota_exceeded: {
    meaning: 'You have as many of these as you may have.',
    cause: 'There is a limit to the wallets, keys, webhooks and alerts of one owner. What there is stays as it is.',
    remedy: 'Remove what you need no more, or ask whoever runs the service for more.',
  },
  idempotency_key_in_use: {
    meaning: 'An equal request with this Idempotency-Key has not been answered yet.',
    cause: 'It was sent again before the first one came to its end.',
    remedy: 'Wait as long as `Retry-After` says and send it again, with the same key: it is done once.',
  },
  idempotency_key_reused: {
    meaning: 'This Idempotency-Key came with another request before.',
    cause: 'A key stands for one request: its method, its path and its body.',
    remedy: 'Make a new key for each request; repeat one only to send the very same again.',
  },
  precondition_failed: {
    meaning: 'What you want to change is not as you saw it.',
    cause: 'Somebody changed it after the answer whose `ETag` you sent in `If-Match`. Nothing was changed now.',
    remedy: 'Read it again, decide anew, and send its new `ETag`.',
  },
  outbound_refused: {
    meaning: 'The service does not connect to this address.',
    cause:
      'It leads, or could lead, into a private network, or its scheme or port is not allowed. What lies there was not asked.',
    remedy: 'Give a public address. Whoever runs the service can allow addresses of their own network.',
  },
  route_not_found: {
    meaning: 'There is nothing at this path.',
    cause: 'The path is misspelt, has a slash too many, or lacks `/api/v1`.',
    remedy: 'See the API document for what there is.',
  },
  method_not_allowed: {
    meaning: 'This path does not take this method.',
    cause: 'The header `Allow` lists those that it takes.',
    remedy: 'Use one of them.',
  },
  not_acceptable: {
    meaning: 'The answer is not to be had in the form that `Accept` asks for.',
    cause: 'Answers are JSON, and some are to be had as CSV too.',
    remedy: 'Leave `Accept` out, or name `application/json`.',
  },
  payload_too_large: {
    meaning: 'The body is larger than this operation takes.',
    cause: 'A JSON body may have 1 MB, a file of transactions 2 MB.',
    remedy: 'Send it in parts.',
  },
  unsupported_media_type: {
    meaning: 'The body is not of the kind that this operation takes.',
    cause: 'Its `Content-Type` is another one, or it is compressed.',
    remedy: 'Send `application/json`, or `text/csv` where that is documented, in UTF-8 and without compression.',
  },
  request_timeout: {
    meaning: 'The request did not arrive in time.',
    cause: 'The connection is very slow, or the client stopped half-way.',
    remedy: 'Send it again. A write that was not answered can be repeated with the same Idempotency-Key.',
  },
  headers_too_large: {
    meaning: 'The address or the headers are larger than the service takes.',
    cause: 'Often too many ids stand in one query, or cookies of other services are sent along.',
    remedy: 'Ask for less at once.',
  },
  conflict: {
    meaning: 'What you ask for does not fit how things stand.',
    cause: 'It has changed meanwhile, or an operation before this one has already settled it. `detail` says which.',
    remedy: 'Read it again and decide anew.',
  },
  duplicate_transaction: {
    meaning: 'This transaction was entered already.',
    cause:
      'An entry with its `reference`, or of the same wallet, asset, type, time, amount and price, is there, as when a file is sent twice.',
    remedy: 'Nothing needs to be done. If there really were two, give each a `reference` of its own.',
  },
  transaction_from_chain: {
    meaning: 'What was read from a chain can be neither changed nor deleted.',
    cause: 'It would only be read again: the chain says that it happened.',
    remedy: 'Enter what you know besides as a transaction of your own.',
  },
  rate_limited: {
    meaning: 'You have asked for more than your share of a window of time.',
    cause:
      '`RateLimit` and `RateLimit-Policy` tell how many points are left and when all are back; costly requests take more of them.',
    remedy: 'Wait as long as `Retry-After` says, and spread your requests.',
  },
  uri_too_long: {
    meaning: 'The first line of the request is longer than the proxy takes.',
    cause: 'A query names too many ids.',
    remedy: 'Ask for less at once.',
  },
  unknown_host: {
    meaning: 'The proxy does not answer under this name.',
    cause:
      'The request names a host that is not in its configuration. This keeps web pages from pointing names of their own here.',
    remedy: 'Use the right name, or add this one to `server_name` in nginx.conf.',
  },
  bad_gateway: {
    meaning: 'The proxy got no answer from any instance of the service.',
    cause: 'They are being started, or have failed.',
    remedy: 'Try again after `Retry-After`. If it lasts, look at the logs of the instances.',
  },
  service_unavailable: {
    meaning: 'The proxy has no instance to pass the request to.',
    cause: 'They are being started or updated.',
    remedy: 'Try again after `Retry-After`.',
  },
  gateway_timeout: {
    meaning: 'No instance answered the proxy in time.',
    cause: 'The service or its database is overloaded.',
    remedy: 'Try again later. A write can be repeated with the same Idempotency-Key.',
  },
  database_unavailable: {
    meaning: 'The database of the service does not answer.',
    cause:
      'It is being started or updated, or cannot be reached. Reads that were made before are still answered, and say how old they are.',
    remedy: 'Try again shortly. `GET /api/v1/health` tells how it is.',
  },
  shutting_down: {
    meaning: 'This instance is stopping.',
    cause: 'It is being updated or moved.',
    remedy: 'Send the request again: another instance takes it.',
  },
  internal: {
    meaning: 'Something went wrong that should not have.',
    cause: 'This is a fault of the service and not of your request. The details are in its log.',
    remedy: 'Report it with the `request_id`. A write can be repeated with the same Idempotency-Key.',
  },
} as const satisfies Record<Exclude<ErrorCode, UpstreamErrorCode>, ErrorText>;

/** The text of every code there is. */
export const errorTexts: Readonly<Record<ErrorCode, ErrorText>> = { ...ownErrorTexts, ...upstreamErrorTexts };
