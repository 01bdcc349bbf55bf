import { z } from 'zod';
import { AppError } from '../../../domain/errors.ts';
import { chunk, mapLimited } from '../../../lib/concurrency.ts';
import type { RpcCall, RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { collect } from '../collect.ts';
import type { ReadContext } from '../read-context.ts';
import { malformed } from '../rpc-account.ts';
import { blockTimeSchema, type ChainTransaction, parseTransaction } from './transfer-transaction.ts';

/** One of an address's signatures, as `getSignaturesForAddress` tells it. */
export type SignatureInfo = {
  readonly signature: string;
  readonly slot: bigint;
  readonly isFailed: boolean;
  /** Seconds; null where the chain did not write it down. */
  readonly blockTime: bigint | null;
};

/** The next page of an address's signatures: `before` none of those told, newest first, from an endpoint that has come to `minSlot` and knows all since `fromSlot`. */
export type PageQuery = {
  readonly address: string;
  readonly before: string | null;
  readonly limit: number;
  readonly minSlot: bigint;
  readonly fromSlot: bigint;
};

const SIGNATURES_PER_CALL = 100;
/** Transactions come with their logs, ten kilobytes each and more. */
const TRANSACTIONS_PER_CALL = 50;
const REQUESTS_AT_ONCE = 2;
/** In use on mainnet since September 2026; in the form asked for, what is read of it here is where it is in version 0. */
const MAX_VERSION = 1;
const MAX_BYTES = 32 * 1024 * 1024;

type Read<T> = { readonly key: string; readonly call: RpcCall; readonly parse: (value: unknown) => T };
type Endpoint = { readonly endpoint: RpcEndpoint; readonly signal: AbortSignal };

/** One page for each query, by `pageKey`. */
export function fetchPages(
  queries: readonly PageQuery[],
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, readonly SignatureInfo[] | AppError>> {
  const byKey = new Map(queries.map((query) => [pageKey(query), query]));
  return collect([...byKey.keys()], {
    pool,
    signal,
    async fetch(keys, endpoint) {
      const asked = keys.flatMap((key) => byKey.get(key) ?? []);
      const first = await firstAvailable(endpoint, signal);
      const isKept = ({ fromSlot }: PageQuery): boolean => first === null || fromSlot >= first;
      const reads = asked.filter(isKept).map(
        (query): Read<readonly SignatureInfo[]> => ({
          key: pageKey(query),
          call: { method: 'getSignaturesForAddress', params: [query.address, pageConfig(query)] },
          parse: (value) => parsePage(value, query, endpoint.name),
        }),
      );
      const pages = new Map(await runCalls(reads, SIGNATURES_PER_CALL, { endpoint, signal }));
      for (const query of asked) if (!isKept(query)) pages.set(pageKey(query), pruned(endpoint.name));
      return pages;
    },
  });
}

/** What tells a page apart from others. */
export function pageKey({ address, before, limit }: PageQuery): string {
  return `${address}/${before ?? ''}/${limit}`;
}

function pageConfig({ before, limit, minSlot }: PageQuery): Record<string, unknown> {
  const start = before === null ? {} : { before };
  return { limit, commitment: 'finalized', minContextSlot: Number(minSlot), ...start };
}

/** An endpoint that has let go of the beginning would tell a shorter list, and no more: what it does not keep must not pass for what never was. */
function pruned(provider: string): AppError {
  return new AppError('upstream_unsupported', `${provider} does not keep transactions that old.`, { provider });
}

const FIRST_KEY = 'solana-first-available';
const FIRST_KEPT_FOR_MS = 10 * 60_000;
const firstSchema = z.object({ slot: z.bigint().nullable(), until: z.number() });

/** The oldest slot that an endpoint keeps; null when it does not tell. */
async function firstAvailable(endpoint: RpcEndpoint, signal: AbortSignal): Promise<bigint | null> {
  const known = firstSchema.safeParse(endpoint.learnt.get(FIRST_KEY));
  if (known.success && known.data.until > Date.now()) return known.data.slot;
  const call = endpoint.call({ method: 'getFirstAvailableBlock', params: [] }, { signal });
  const answer = await call.catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'upstream_unsupported') return null;
    throw error;
  });
  if (answer !== null && typeof answer !== 'bigint') throw malformed(endpoint.name);
  endpoint.learnt.set(FIRST_KEY, { slot: answer, until: Date.now() + FIRST_KEPT_FOR_MS });
  return answer;
}

const pageSchema = z.array(
  z.object({
    signature: z.string().regex(/^[1-9A-HJ-NP-Za-km-z]{64,88}$/),
    slot: z.bigint().min(0n),
    err: z.unknown(),
    blockTime: blockTimeSchema.nullish(),
  }),
);

function parsePage(value: unknown, { limit }: PageQuery, provider: string): readonly SignatureInfo[] {
  const parsed = pageSchema.max(limit).safeParse(value);
  if (!parsed.success) throw malformed(provider);
  const isOrdered = parsed.data.every(({ slot }, index) => slot <= (parsed.data[index - 1]?.slot ?? slot));
  if (!isOrdered) throw malformed(provider);
  return parsed.data.map(({ signature, slot, err, blockTime }) => ({
    signature,
    slot,
    isFailed: err != null,
    blockTime: blockTime ?? null,
  }));
}

/** The transactions of these signatures. */
export function fetchTransactions(
  signatures: readonly string[],
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, ChainTransaction | AppError>> {
  const config = { encoding: 'json', commitment: 'finalized', maxSupportedTransactionVersion: MAX_VERSION };
  return collect(signatures, {
    pool,
    signal,
    async fetch(missing, endpoint) {
      const { name } = endpoint;
      const reads = missing.map(
        (signature): Read<ChainTransaction> => ({
          key: signature,
          call: { method: 'getTransaction', params: [signature, config] },
          parse: (value) => {
            if (value === null) throw unavailable(name);
            return parseTransaction(value, signature, name);
          },
        }),
      );
      return new Map(await runCalls(reads, TRANSACTIONS_PER_CALL, { endpoint, signal }));
    },
  });
}

/** When these slots were, in seconds, by the slot's digits. */
export function fetchBlockTimes(
  slots: readonly string[],
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, bigint | AppError>> {
  return collect(slots, {
    pool,
    signal,
    async fetch(missing, endpoint) {
      const reads = missing.map(
        (slot): Read<bigint> => ({
          key: slot,
          call: { method: 'getBlockTime', params: [Number(slot)] },
          parse: (value) => {
            if (value === null) throw unavailable(endpoint.name);
            const parsed = blockTimeSchema.safeParse(value);
            if (!parsed.success) throw malformed(endpoint.name);
            return parsed.data;
          },
        }),
      );
      return new Map(await runCalls(reads, SIGNATURES_PER_CALL, { endpoint, signal }));
    },
  });
}

function unavailable(provider: string): AppError {
  return new AppError('upstream_block_unavailable', `${provider} does not have a block of ours.`, { provider });
}

/** The calls in as few requests as the endpoint takes; one outcome for each. An endpoint that failed a whole request is not asked for the rest. */
async function runCalls<T>(
  reads: readonly Read<T>[],
  perRequest: number,
  { endpoint, signal }: Endpoint,
): Promise<readonly (readonly [string, T | AppError])[]> {
  let gone: AppError | undefined;
  const outcomes = await mapLimited(chunk(reads, perRequest), REQUESTS_AT_ONCE, async (group) => {
    const failure = gone;
    if (failure !== undefined) return group.map(({ key }) => [key, failure] as const);
    try {
      const calls = group.map(({ call }) => call);
      const items = await endpoint.batch(calls, { signal, maxBytes: MAX_BYTES });
      return group.map((read, index) => [read.key, settle(read, items[index], endpoint.name)] as const);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      gone = error;
      return group.map(({ key }) => [key, error] as const);
    }
  });
  return outcomes.flat();
}

function settle<T>(
  { parse }: Read<T>,
  item: Awaited<ReturnType<RpcEndpoint['batch']>>[number] | undefined,
  provider: string,
): T | AppError {
  try {
    if (item === undefined) return malformed(provider);
    return item.ok ? parse(item.value) : item.error;
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}
