import { AppError } from '../../domain/errors.ts';
import { chunk } from '../../lib/concurrency.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { malformed, parseAccounts, parseKeyedAccounts, type RpcAccount } from './rpc-account.ts';
import { type AtSlot, type Read, runReads } from './rpc-reads.ts';

export type FetchOptions = {
  readonly endpoint: RpcEndpoint;
  readonly signal: AbortSignal;
  /** The node must have come at least this far. */
  readonly minSlot: bigint;
  /** `confirmed` when unset. */
  readonly commitment?: Commitment;
};

/** How sure what is read must be: `finalized` can never be undone. */
export type Commitment = 'confirmed' | 'finalized';

/** The part of each account's data that is wanted. */
export type DataSlice = { readonly offset: number; readonly length: number };

export const COMMITMENT: Commitment = 'confirmed';
/** The most that nodes take in one call. */
const ACCOUNTS_PER_CALL = 100;

/** The accounts at these addresses, null where there is none, asked for in hundreds; one outcome for each address. */
export async function fetchAccounts(
  addresses: readonly string[],
  dataSlice: DataSlice,
  options: FetchOptions,
): Promise<ReadonlyMap<string, AtSlot<RpcAccount | null> | AppError>> {
  const provider = options.endpoint.name;
  const groups = chunk(addresses, ACCOUNTS_PER_CALL);
  const config = accountConfig(dataSlice, options);
  const reads = groups.map(
    (group): Read<readonly (RpcAccount | null)[]> => ({
      call: { method: 'getMultipleAccounts', params: [group, config] },
      parse: (value) => parseAccounts(value, group, provider),
    }),
  );
  const outcomes = await runReads(reads, options);
  const byAddress = new Map<string, AtSlot<RpcAccount | null> | AppError>();
  for (const [index, group] of groups.entries()) {
    const outcome = outcomes[index] ?? malformed(provider);
    for (const [at, address] of group.entries()) {
      const found = outcome instanceof AppError ? outcome : { slot: outcome.slot, value: outcome.value[at] ?? null };
      byAddress.set(address, found);
    }
  }
  return byAddress;
}

/**
 * What `read` makes of all accounts that each owner has with one token program; one outcome for each query, in order. The accounts are let go as
 * soon as they are read.
 */
export function fetchTokenAccounts<T>(
  queries: readonly { readonly owner: string; readonly program: string; readonly read: (accounts: readonly RpcAccount[]) => T }[],
  dataSlice: DataSlice,
  options: FetchOptions,
): Promise<readonly (AtSlot<T> | AppError)[]> {
  const config = accountConfig(dataSlice, options);
  const reads = queries.map(
    ({ owner, program, read }): Read<T> => ({
      call: { method: 'getTokenAccountsByOwner', params: [owner, { programId: program }, config] },
      parse: (value) => read(parseKeyedAccounts(value, program, options.endpoint.name)),
    }),
  );
  return runReads(reads, options);
}

/** The search that some nodes refuse. A few to a request, since each walks through the whole program. */
const SEARCHES_PER_REQUEST = 10;

/** What `read` makes of the accounts of a program that hold an address at an offset; one outcome for each query, in order. */
export function searchProgramAccounts<T>(
  queries: readonly {
    readonly address: string;
    readonly offset: number;
    readonly read: (accounts: readonly RpcAccount[]) => T;
  }[],
  { program, dataSlice }: { readonly program: string; readonly dataSlice: DataSlice },
  options: FetchOptions,
): Promise<readonly (AtSlot<T> | AppError)[]> {
  const config = { ...accountConfig(dataSlice, options), withContext: true };
  const reads = queries.map(({ address, offset, read }): Read<T> => {
    const filters = [{ memcmp: { offset, bytes: address, encoding: 'base58' } }];
    return {
      call: { method: 'getProgramAccounts', params: [program, { ...config, filters }] },
      parse: (value) => read(parseKeyedAccounts(value, program, options.endpoint.name)),
    };
  });
  return runReads(reads, { ...options, maxCalls: SEARCHES_PER_REQUEST });
}

function accountConfig(dataSlice: DataSlice, { minSlot, commitment = COMMITMENT }: FetchOptions): Record<string, unknown> {
  const minimum = minSlot > 0n ? { minContextSlot: Number(minSlot) } : {};
  return { encoding: 'base64', commitment, dataSlice, ...minimum };
}
