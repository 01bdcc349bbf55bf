import { AppError } from '../../domain/errors.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import type { RpcCall, RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';
import { isRecord, malformed } from './rpc-account.ts';

/** An answer with the slot at which it holds. */
export type AtSlot<T> = { readonly slot: bigint; readonly value: T };

/** A call whose answer is a value at a slot, and what to make of the value. `parse` throws AppError. */
export type Read<T> = { readonly call: RpcCall; readonly parse: (value: unknown) => T };

type ReadOptions = {
  readonly endpoint: RpcEndpoint;
  readonly signal: AbortSignal;
  readonly minSlot: bigint;
  /** Calls in one request; 100 when unset. */
  readonly maxCalls?: number;
};

const MAX_CALLS = 100;
/** Nodes refuse request bodies above 50 KiB. */
const MAX_REQUEST_CHARACTERS = 40_000;
const REQUESTS_AT_ONCE = 2;
/** A wallet with fifty thousand token accounts fits into this. */
const MAX_BYTES = 32 * 1024 * 1024;

/** Makes the calls in as few requests as nodes take. One outcome for each read, in order; nothing is thrown for the endpoint's fault. */
export async function runReads<T>(
  reads: readonly Read<T>[],
  { endpoint, signal, minSlot, maxCalls = MAX_CALLS }: ReadOptions,
): Promise<readonly (AtSlot<T> | AppError)[]> {
  let gone: AppError | undefined;
  const groups = groupReads(reads, maxCalls);
  const outcomes = await mapLimited(groups, REQUESTS_AT_ONCE, async (group) => {
    const failure = gone;
    if (failure !== undefined) return group.map(() => failure);
    try {
      const calls = group.map(({ call }) => call);
      const items = await endpoint.batch(calls, { signal, maxBytes: MAX_BYTES });
      return group.map((read, index) => settle(read, items[index], { provider: endpoint.name, minSlot }));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      // An endpoint that failed a whole request is not asked for the rest.
      gone = error;
      return group.map(() => error);
    }
  });
  return outcomes.flat();
}

function groupReads<T>(reads: readonly Read<T>[], maxCalls: number): readonly (readonly Read<T>[])[] {
  const groups: Read<T>[][] = [];
  let size = 0;
  for (const read of reads) {
    const length = JSON.stringify(read.call).length;
    const last = groups.at(-1);
    if (last === undefined || last.length === maxCalls || size + length > MAX_REQUEST_CHARACTERS) {
      groups.push([read]);
      size = length;
    } else {
      last.push(read);
      size += length;
    }
  }
  return groups;
}

function settle<T>(
  read: Read<T>,
  item: RpcItem | undefined,
  { provider, minSlot }: { provider: string; minSlot: bigint },
): AtSlot<T> | AppError {
  try {
    if (item === undefined) throw malformed(provider);
    if (!item.ok) throw item.error;
    const slot = readSlot(item.value);
    if (slot === undefined || !isRecord(item.value)) throw malformed(provider);
    if (slot < minSlot) throw new AppError('upstream_block_unavailable', `${provider} is behind.`, { provider });
    return { slot, value: read.parse(item.value.value) };
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function readSlot(answer: unknown): bigint | undefined {
  if (!isRecord(answer) || !isRecord(answer.context)) return undefined;
  const { slot } = answer.context;
  // It is sent back as a JSON number, so it must fit into one.
  return typeof slot === 'bigint' && slot >= 0n && slot <= Number.MAX_SAFE_INTEGER ? slot : undefined;
}
