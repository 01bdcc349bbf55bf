import { AppError } from '../../domain/errors.ts';
import { chunk, mapLimited } from '../concurrency.ts';
import { failedStatus, type HttpClient } from '../http-client.ts';
import { maskUrl } from '../mask-url.ts';
import type { CallBudget } from './guard/call-budget.ts';
import { type CallReport, createEndpointGuard, type EndpointGuard } from './guard/endpoint-guard.ts';
import { isOwnNetwork } from './is-own-network.ts';
import { type Answerer, holdsError, idOf, malformed, matchById, outranksBody, parseAnswer, readItem } from './rpc-answers.ts';
import type { RpcFamily } from './rpc-errors.ts';
import { judgeAnswer } from './rpc-verdict.ts';

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

/** One item of a batch: its result or its own error (an AppError with an upstream code). */
export type RpcItem = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: AppError };

export type RpcOptions = {
  readonly signal: AbortSignal;
  /** Total time for the one HTTP exchange, connect to last byte. Default 10 000. */
  readonly timeoutMs?: number;
  /** Largest answer taken. Default 8 MiB. */
  readonly maxBytes?: number;
};

/**
 * One endpoint of a chain. Every failure is an AppError with an upstream code, whose `provider` is `name` and whose text never
 * holds the URL.
 */
export type RpcEndpoint = {
  /** Host, with what could be a key cut out: safe to show. */
  readonly name: string;
  /** What was learnt about the endpoint and is worth keeping while the process lives; each user keeps its own key. */
  readonly learnt: Map<string, unknown>;
  /** What every request passes: breaker, calls in flight, rate and budget. */
  readonly guard: EndpointGuard;
  /** The same endpoint past its breaker, for health checks. */
  pastBreaker(): RpcEndpoint;
  /** One call, one HTTP request. Rejects with the RPC's own error as `upstream_rpc_error` or a finer code. */
  call(call: RpcCall, options: RpcOptions): Promise<unknown>;
  /**
   * Many calls in as few HTTP requests as the endpoint takes, results in the order asked. A call that fails is an error of its own; the
   * promise rejects when the endpoint as such fails, so that another one is asked.
   */
  batch(calls: readonly RpcCall[], options: RpcOptions): Promise<readonly RpcItem[]>;
};

export type RpcEndpointOptions = {
  readonly url: string;
  readonly family: RpcFamily;
  readonly http: HttpClient;
  readonly timeoutMs?: number;
  readonly budget?: CallBudget;
  readonly onCall?: (report: CallReport) => void;
};

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const LARGEST_BATCH = 100;
const REQUESTS_AT_ONCE = 4;
/** Too large answers, or refusals of what was too large, that one batch may cost before the endpoint is given up. */
const MAX_OVERSIZED = 20;
/** After this long an endpoint that refused batches is tried with them again. */
const FORGET_LIMIT_AFTER_MS = 10 * 60_000;

/** Failures that belong to the call, whoever is asked; all others belong to the endpoint. */
const FAULTS_OF_A_CALL: ReadonlySet<string> = new Set([
  'upstream_rpc_error',
  'upstream_reverted',
  'upstream_out_of_gas',
  'upstream_block_unavailable',
  'upstream_no_history',
  'upstream_unsupported',
  'upstream_too_large',
  'upstream_rate_limited',
]);
/** Statuses under which the body may say more. */
const VAGUE_STATUSES: ReadonlySet<string> = new Set(['upstream_status', 'upstream_too_large']);
/** What an endpoint says to a batch when it takes none, or none of this size. */
const BATCH_REFUSALS: ReadonlySet<string> = new Set([
  'upstream_rpc_error',
  'upstream_unsupported',
  'upstream_too_large',
  'upstream_malformed',
]);

/** An endpoint that speaks JSON-RPC 2.0 over HTTP at this URL. */
export function createRpcEndpoint(options: RpcEndpointOptions): RpcEndpoint {
  const name = maskUrl(options.url);
  const { timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const guard = createEndpointGuard({ ...options, name, timeoutMs, isOwn: isOwnNetwork(options.url) });
  const exchange = createExchange({ ...options, name, timeoutMs, guard });
  const batch = createBatcher(exchange);
  const known = { name, learnt: new Map<string, unknown>(), guard };
  const probe: RpcEndpoint = {
    ...known,
    pastBreaker: () => probe,
    call: (call, callOptions) => exchange.call(call, { ...callOptions, isProbe: true }),
    batch: (calls, callOptions) => batch(calls, { ...callOptions, isProbe: true }),
  };
  return { ...known, pastBreaker: () => probe, call: exchange.call, batch };
}

type ExchangeOptions = RpcOptions & {
  /** A health check, which asks past the breaker. */
  readonly isProbe?: boolean;
};

/** What came back: the parsed body, and the error that the status stands for if it is not 2xx. */
type Answer = { readonly status: number; readonly failed: AppError | undefined; readonly answer: unknown };

type Exchange = {
  readonly guard: EndpointGuard;
  readonly call: (call: RpcCall, options: ExchangeOptions) => Promise<unknown>;
  /** One HTTP request for many calls. An AppError as the result says that the endpoint takes no such batch. */
  readonly callTogether: (calls: readonly RpcCall[], options: ExchangeOptions) => Promise<readonly RpcItem[] | AppError>;
};

type ExchangeDeps = Omit<RpcEndpointOptions, 'timeoutMs'> & {
  readonly name: string;
  readonly timeoutMs: number;
  readonly guard: EndpointGuard;
};

function createExchange({ url, name, family, http, timeoutMs, guard }: ExchangeDeps): Exchange {
  const answerer = { family, name };

  const send = async (payload: unknown, options: RpcOptions): Promise<Answer> => {
    const response = await http.send({
      url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(payload),
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? timeoutMs,
      maxBytes: options.maxBytes ?? DEFAULT_MAX_BYTES,
    });
    const failed = failedStatus(response, url);
    const answer = parseAnswer(family, response.body);
    if (failed === undefined && answer === undefined) throw malformed(name, 'no JSON');
    return { status: response.status, failed, answer };
  };

  const post = (calls: readonly RpcCall[], payload: unknown, options: ExchangeOptions): Promise<Answer> =>
    guard.run({
      methods: calls.map(({ method }) => method),
      signal: options.signal,
      isProbe: options.isProbe === true,
      send: () => send(payload, options),
      judge: (answer) => judgeAnswer(answerer, answer),
    });

  return {
    guard,
    async call(call, options) {
      const { answer, failed } = await post([call], toMessage(call, 0), options);
      if (failed !== undefined && outranksBody(answerer, failed, answer)) throw failed;
      const item = readItem(answerer, answer);
      if (!item.ok) throw item.error;
      if (idOf(answer) !== 1) throw malformed(name, 'the wrong id');
      return item.value;
    },
    async callTogether(calls, options) {
      const { status, failed, answer } = await post(calls, calls.map(toMessage), options);
      if (failed !== undefined && !VAGUE_STATUSES.has(failed.code) && outranksBody(answerer, failed, answer)) throw failed;
      const whole = unwrapLoneError(answer, calls.length);
      if (Array.isArray(whole)) return matchById(answerer, whole, calls.length);
      const isByStatus = failed !== undefined && !holdsError(whole);
      const error = isByStatus ? failed : errorOfWhole(answerer, whole);
      if (BATCH_REFUSALS.has(error.code) || (isByStatus && status < 500)) return error;
      throw error;
    },
  };
}

/** The options of a batch, with how often more it may meet with what is too large. */
type BatchOptions = ExchangeOptions & { readonly oversized: { left: number } };

/** Finds out what batches the endpoint takes, and sends its calls accordingly. */
function createBatcher({
  call,
  callTogether,
  guard,
}: Exchange): (calls: readonly RpcCall[], options: ExchangeOptions) => Promise<readonly RpcItem[]> {
  let learnt = { size: LARGEST_BATCH, until: 0 };
  const limit = (): number => Math.min(guard.largestBatch(), Date.now() < learnt.until ? learnt.size : LARGEST_BATCH);
  const lowerLimit = (size: number): void => {
    learnt = { size: Math.min(size, limit()), until: Date.now() + FORGET_LIMIT_AFTER_MS };
  };

  const callEachAlone = (calls: readonly RpcCall[], options: BatchOptions): Promise<readonly RpcItem[]> => {
    let limited: RpcItem | undefined;
    return mapLimited(calls, REQUESTS_AT_ONCE, async (one) => {
      // Who goes on asking after a refusal is refused for longer.
      if (limited !== undefined) return limited;
      const item = await asItem(call(one, options), options);
      if (!item.ok && item.error.code === 'upstream_rate_limited') limited = item;
      return item;
    });
  };

  const callMany = async (calls: readonly RpcCall[], options: BatchOptions): Promise<readonly RpcItem[]> => {
    const size = limit();
    if (calls.length <= 1 || size === 1) return callEachAlone(calls, options);
    if (calls.length > size) {
      return (await mapLimited(chunk(calls, size), REQUESTS_AT_ONCE, (part) => callMany(part, options))).flat();
    }
    const outcome = await callTogether(calls, options).catch((error: unknown) => {
      spend(options, error);
      return 'answer_too_large' as const;
    });
    // An answer beyond our own limit comes of what was asked for and teaches nothing about batches.
    if (outcome === 'answer_too_large') return callHalves(calls, options);
    if (!(outcome instanceof AppError)) return outcome;
    if (outcome.code === 'upstream_too_large') {
      lowerLimit(Math.floor(calls.length / 2));
      return callHalves(calls, options);
    }
    // One of the calls alone tells whether it is batches that are refused or everything.
    const first = await callEachAlone(calls.slice(0, 1), options);
    lowerLimit(1);
    return [...first, ...(await callEachAlone(calls.slice(1), options))];
  };

  /** One half after the other, so that the second profits from what the first one taught. */
  const callHalves = async (calls: readonly RpcCall[], options: BatchOptions): Promise<readonly RpcItem[]> => {
    const middle = Math.ceil(calls.length / 2);
    const first = await callMany(calls.slice(0, middle), options);
    return [...first, ...(await callMany(calls.slice(middle), options))];
  };

  return (calls, options) => callMany(calls, { ...options, oversized: { left: MAX_OVERSIZED } });
}

/** A call as an item: what belongs to the call is its error, anything else is thrown. */
async function asItem(call: Promise<unknown>, options: BatchOptions): Promise<RpcItem> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    if (!(error instanceof AppError) || !FAULTS_OF_A_CALL.has(error.code)) throw error;
    if (error.code === 'upstream_too_large') spend(options, error);
    return { ok: false, error };
  }
}

/** Lets a "too large" pass while there are not too many. Throws any other error. */
function spend({ oversized }: BatchOptions, error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'upstream_too_large' || oversized.left === 0) throw error;
  oversized.left -= 1;
}

/** Some servers put the one error that speaks of all calls into a list. */
function unwrapLoneError(answer: unknown, callCount: number): unknown {
  if (!Array.isArray(answer) || answer.length !== 1 || callCount === 1) return answer;
  const [lone]: unknown[] = answer;
  return holdsError(lone) && Number.isNaN(idOf(lone)) ? lone : answer;
}

function errorOfWhole(answerer: Answerer, answer: unknown): AppError {
  const item = readItem(answerer, answer);
  return item.ok ? malformed(answerer.name, 'one answer to many calls') : item.error;
}

function toMessage({ method, params }: RpcCall, index: number): unknown {
  return { jsonrpc: '2.0', id: index + 1, method, params };
}
