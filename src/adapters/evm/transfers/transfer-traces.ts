import { AppError } from '../../../domain/errors.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { readHexQuantity } from '../hex.ts';
import { learn, recall } from '../learnt.ts';
import { type Movement, readAddress, readHash } from './transfer-movement.ts';
import type { Stretch } from './transfer-stretch.ts';

export type NativeMovements = {
  readonly movements: readonly Movement[];
  /** Transactions that one of the wallets sent, those that failed or moved nothing included. */
  readonly sent: ReadonlySet<string>;
};

type TraceQuery = {
  /** In lower case. */
  readonly wallets: readonly string[];
  readonly stretch: Stretch;
  readonly signal: AbortSignal;
};

/** A part of a transaction, as far as it is of use here. */
type Trace = {
  readonly txHash: string;
  readonly blockNumber: bigint;
  /** Where it was called from: the call's number in its caller, in the caller's caller and so on. Empty for the transaction itself. */
  readonly path: readonly number[];
  readonly hasFailed: boolean;
  readonly from: string;
  readonly to: string | undefined;
  readonly value: bigint;
};

const REFUSED_KEY = 'evm-no-traces';
/** How hosts say that they have no traces, or none for this customer. */
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_unauthorized']);
const REFUSING_WORDS = /method|whitelist|allowed|permission|plan|tier|upgrade/i;
const CALL_TYPES: ReadonlySet<unknown> = new Set(['call', undefined]);

/** What the wallets sent and received of the chain's coin in a stretch of blocks. Throws AppError, upstream_unsupported where the endpoint tells no traces. */
export async function readNativeMovements(endpoint: RpcEndpoint, query: TraceQuery): Promise<NativeMovements> {
  if (recall(endpoint, REFUSED_KEY) === true) throw noTraces(endpoint.name);
  const own = new Set(query.wallets);
  const traces = new Map<string, Trace>();
  for (const side of ['fromAddress', 'toAddress'] as const) {
    for (const trace of await fetchTraces(endpoint, side, query)) traces.set(`${trace.txHash}:${placeOf(trace)}`, trace);
  }
  const all = [...traces.values()];
  const sent = new Set(all.filter(({ path, from }) => path.length === 0 && own.has(from)).map(({ txHash }) => txHash));
  const moving = all.filter(({ hasFailed, value }) => !hasFailed && value > 0n);
  const undone = await findUndone(endpoint, moving, query.signal);
  const movements = moving.flatMap((trace): readonly Movement[] => {
    const { from, to, value: amountRaw, txHash, blockNumber } = trace;
    if (to === undefined || !(own.has(from) || own.has(to)) || undone(trace)) return [];
    return [{ token: null, from, to, amountRaw, txHash, blockNumber, place: placeOf(trace), madeAt: undefined }];
  });
  return { movements, sent };
}

async function fetchTraces(
  endpoint: RpcEndpoint,
  side: 'fromAddress' | 'toAddress',
  { wallets, stretch, signal }: TraceQuery,
): Promise<readonly Trace[]> {
  const { from, to } = stretch;
  const filter = { fromBlock: `0x${from.toString(16)}`, toBlock: `0x${to.toString(16)}`, [side]: wallets };
  const answer = await endpoint.call({ method: 'trace_filter', params: [filter] }, { signal }).catch((error: unknown) => {
    throw refusalOf(endpoint, error) ?? error;
  });
  return readTraces(answer, endpoint.name).filter(({ blockNumber }) => blockNumber >= from && blockNumber <= to);
}

/** The error as one of an endpoint that has no traces, if it is that; it is remembered for a while. */
function refusalOf(endpoint: RpcEndpoint, error: unknown): AppError | undefined {
  if (!(error instanceof AppError)) return undefined;
  const { code, cause } = error;
  // The block itself is there: it is its past state that the node has let go of, for good.
  if (code === 'upstream_block_unavailable') return noTraces(endpoint.name);
  const words = cause instanceof Error ? cause.message : '';
  if (!REFUSALS.has(code) && !(code === 'upstream_rpc_error' && REFUSING_WORDS.test(words))) return undefined;
  learn(endpoint, REFUSED_KEY, true);
  return noTraces(endpoint.name);
}

/**
 * A call that went well is undone all the same when one that it was made by failed. The answer to a filter does not tell of these, so that every transaction with a movement inside it is looked at
 * as a whole.
 */
async function findUndone(
  endpoint: RpcEndpoint,
  moving: readonly Trace[],
  signal: AbortSignal,
): Promise<(trace: Trace) => boolean> {
  const hashes = [...new Set(moving.filter(({ path }) => path.length > 0).map(({ txHash }) => txHash))];
  const items = await endpoint.batch(
    hashes.map((hash) => ({ method: 'trace_transaction', params: [hash] })),
    { signal },
  );
  const failed = new Set<string>();
  for (const item of items) {
    if (!item.ok) throw item.error;
    for (const trace of readTraces(item.value, endpoint.name))
      if (trace.hasFailed) failed.add(`${trace.txHash}:${placeOf(trace)}`);
  }
  return ({ txHash, path }) => path.some((_, depth) => failed.has(`${txHash}:${placeOf({ path: path.slice(0, depth) })}`));
}

function placeOf({ path }: Pick<Trace, 'path'>): string {
  return ['trace', ...path].join('.');
}

function readTraces(answer: unknown, provider: string): readonly Trace[] {
  if (!Array.isArray(answer)) throw malformed(provider);
  return answer.flatMap((item: unknown) => readTrace(item, provider));
}

/** None for what is part of no transaction (the reward of a block), or moves nothing of its own (a delegated call). */
function readTrace(item: unknown, provider: string): readonly Trace[] {
  const type = fieldOf(item, 'type');
  const action = fieldOf(item, 'action');
  if (type === 'reward') return [];
  const txHash = readHash(fieldOf(item, 'transactionHash'));
  const block = fieldOf(item, 'blockNumber');
  const path = fieldOf(item, 'traceAddress');
  if (txHash === undefined || !isWhole(block) || !Array.isArray(path) || !path.every(isWhole)) throw malformed(provider);
  const base = { txHash, blockNumber: BigInt(block), path, hasFailed: fieldOf(item, 'error') != null };
  const from = readAddress(fieldOf(action, type === 'suicide' ? 'address' : 'from'));
  if (from === undefined) throw malformed(provider);
  if (type === 'suicide') {
    const value = readHexQuantity(fieldOf(action, 'balance')) ?? 0n;
    return [{ ...base, from, to: readAddress(fieldOf(action, 'refundAddress')), value }];
  }
  const isOwn = CALL_TYPES.has(fieldOf(action, 'callType'));
  const value = isOwn ? (readHexQuantity(fieldOf(action, 'value')) ?? 0n) : 0n;
  const to = readAddress(type === 'create' ? fieldOf(fieldOf(item, 'result'), 'address') : fieldOf(action, 'to'));
  return [{ ...base, from, to, value }];
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function noTraces(provider: string): AppError {
  return new AppError('upstream_unsupported', `${provider} tells no traces.`, { provider });
}

function malformed(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent traces that make no sense.`, { provider });
}
