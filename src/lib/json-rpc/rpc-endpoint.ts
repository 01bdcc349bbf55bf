import { parseJsonWithBigInts } from '@solana/rpc-spec-types';
import { AppError, toAppError } from '../../domain/errors.ts';
import { chunk, mapLimited } from '../concurrency.ts';
import { failedStatus, type HttpClient } from '../http-client.ts';
import { maskUrl } from '../mask-url.ts';
import { type RpcFamily, toRpcError } from './rpc-errors.ts';

export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

export type RpcOptions = {
  readonly signal: AbortSignal;
  /** Total time for the one HTTP exchange, connect to last byte. Default 10 000. */
  readonly timeoutMs?: number;
  /** Largest answer taken. Default 8 MiB. */
  readonly maxBytes?: number;
};

/** One item of a batch: its result or its own error (an AppError with an upstream code). */
export type RpcItem = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error };

/**
 * One endpoint of a chain. Every failure is an AppError with an upstream code, whose `provider` is `name` and whose text never
 * holds the URL.
 */
export type RpcEndpoint = {
  /** Host, with what could be a key cut out: safe to show. */
  readonly name: string;
  /** What was learnt about the endpoint and is worth keeping while the process lives; each user keeps its own key. */
  readonly learnt: Map<string, unknown>;
  /** One call, one HTTP request. Rejects with the RPC's own error as `upstream_rpc_error` or a finer code. */
  call(call: RpcCall, options: RpcOptions): Promise<unknown>;
  /** Many calls in one HTTP request, answers matched by id and in the order asked; falls to single calls where batches are refused. */
  batch(calls: readonly RpcCall[], options: RpcOptions): Promise<readonly RpcItem[]>;
};

export type RpcEndpointOptions = {
  readonly url: string;
  readonly family: RpcFamily;
  readonly http: HttpClient;
  readonly timeoutMs?: number;
};

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;
const DEFAULT_BATCH_LIMIT = 100;
const BATCHES_AT_ONCE = 4;

/** Refusals of a batch that smaller ones, or single calls, may get round. */
const BATCH_REFUSALS: ReadonlySet<string> = new Set([
  'upstream_too_large',
  'upstream_unsupported',
  'upstream_malformed',
  'upstream_rpc_error',
]);

export function createRpcEndpoint({ url, family, http, timeoutMs = DEFAULT_TIMEOUT_MS }: RpcEndpointOptions): RpcEndpoint {
  const name = maskUrl(url);
  let batchLimit = DEFAULT_BATCH_LIMIT;

  const post = async (payload: unknown, options: RpcOptions): Promise<unknown> => {
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
    const answer = parseJson(family, response.body);
    // A status that means something of its own outranks the body; others may carry an RPC error that says more.
    if (failed !== undefined && (failed.code !== 'upstream_status' || !isRecord(answer) || answer.error === undefined))
      throw failed;
    if (answer === undefined) throw malformed(name, 'no JSON');
    return answer;
  };

  const call = async ({ method, params }: RpcCall, options: RpcOptions): Promise<unknown> => {
    const answer = await post({ jsonrpc: '2.0', id: 1, method, params }, options);
    const item = readItem(family, name, answer);
    if (!item.ok) throw item.error;
    if (!isRecord(answer) || Number(answer.id) !== 1) throw malformed(name, 'the wrong id');
    return item.value;
  };

  const callAll = async (calls: readonly RpcCall[], options: RpcOptions): Promise<readonly RpcItem[]> => {
    if (batchLimit === 1 || calls.length === 1) return mapLimited(calls, BATCHES_AT_ONCE, (one) => settle(call(one, options)));
    const chunks = chunk(calls, batchLimit);
    return (await mapLimited(chunks, BATCHES_AT_ONCE, (part) => callChunk(part, options))).flat();
  };

  const callChunk = async (calls: readonly RpcCall[], options: RpcOptions): Promise<readonly RpcItem[]> => {
    const payload = calls.map(({ method, params }, index) => ({ jsonrpc: '2.0', id: index + 1, method, params }));
    try {
      const answer = await post(payload, options);
      if (Array.isArray(answer)) return matchById(family, name, answer, calls.length);
      const refusal = readItem(family, name, answer);
      throw refusal.ok ? malformed(name, 'one answer to many calls') : refusal.error;
    } catch (error) {
      if (calls.length === 1 || !(error instanceof AppError) || !BATCH_REFUSALS.has(error.code)) throw error;
      batchLimit = Math.min(batchLimit, Math.floor(calls.length / 2));
      return callAll(calls, options);
    }
  };

  return { name, learnt: new Map(), call, batch: callAll };
}

function parseJson(family: RpcFamily, text: string): unknown {
  try {
    // EVM answers hold no number that matters outside of strings; Solana's hold 64-bit integers.
    return family === 'evm' ? JSON.parse(text) : parseJsonWithBigInts(text);
  } catch {
    return undefined;
  }
}

function readItem(
  family: RpcFamily,
  name: string,
  answer: unknown,
): { ok: true; value: unknown } | { ok: false; error: AppError } {
  if (!isRecord(answer)) return { ok: false, error: malformed(name, 'no JSON-RPC answer') };
  const { error, result } = answer;
  if (isRecord(error)) {
    const message = typeof error.message === 'string' ? error.message : '';
    return { ok: false, error: toRpcError(family, name, { code: Number(error.code ?? 0), message }) };
  }
  if (result === undefined) return { ok: false, error: malformed(name, 'neither result nor error') };
  return { ok: true, value: result };
}

/** Answers in the order of the calls; one that is missing, doubled or strange is an error of its own. */
function matchById(family: RpcFamily, name: string, answers: readonly unknown[], count: number): readonly RpcItem[] {
  const byId = new Map<number, unknown>();
  const doubled = new Set<number>();
  for (const answer of answers) {
    const id = isRecord(answer) ? Number(answer.id) : Number.NaN;
    if (byId.has(id)) doubled.add(id);
    byId.set(id, answer);
  }
  return Array.from({ length: count }, (_, index): RpcItem => {
    const id = index + 1;
    if (!byId.has(id)) return { ok: false, error: malformed(name, 'no answer to one of the calls') };
    if (doubled.has(id)) return { ok: false, error: malformed(name, 'two answers to one call') };
    return readItem(family, name, byId.get(id));
  });
}

async function settle(work: Promise<unknown>): Promise<RpcItem> {
  try {
    return { ok: true, value: await work };
  } catch (error) {
    // An endpoint that is gone, or refuses to serve us at all, fails the whole batch so that another one is asked.
    if (error instanceof AppError && error.code === 'upstream_aborted') throw error;
    return { ok: false, error: toAppError(error) };
  }
}

function malformed(provider: string, what: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent ${what}.`, { provider });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
