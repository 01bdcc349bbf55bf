import { AppError } from '../../domain/errors.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { collect } from './collect.ts';
import { STAKE_PROGRAM } from './programs.ts';
import type { ReadContext } from './read-context.ts';
import { malformed, type RpcAccount } from './rpc-account.ts';
import type { AtSlot } from './rpc-reads.ts';
import { addressAt } from './solana-address.ts';
import { COMMITMENT, type Commitment, type FetchOptions, searchProgramAccounts } from './solana-rpc.ts';

/** One outcome for each wallet: by default the lamports in all of its stake accounts. `isUnsupported`: every endpoint there is refuses the search, which no new try will change. */
export type StakeReads<T = bigint> = {
  readonly reads: ReadonlyMap<string, AtSlot<T> | AppError>;
  readonly isUnsupported: boolean;
};

/** A stake account's tag, rent reserve, staker and withdrawer. */
const STAKE_SLICE = { offset: 0, length: 76 };
const WITHDRAWER_OFFSET = 44;
/** States with a withdrawer: initialized, delegated. */
const OWNED_TAGS: ReadonlySet<number> = new Set([1, 2]);
/**
 * How endpoints refuse a search of all accounts: with a code of its own, or as a matter of the plan paid for. They told their genesis hash just
 * before, so it is not the key as such that they refuse.
 */
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_unauthorized']);
const REFUSED_KEY = 'solana-stake-refused-until';
/** Endpoints change their rules seldom. */
const REFUSED_FOR_MS = 30 * 60_000;

/** Reads native stake by withdrawer, not by staker: who may take it out owns it. Their rent counts, since it comes back with them. */
export function readStakes(addresses: readonly string[], context: ReadContext): Promise<StakeReads> {
  return searchStakes(addresses, context, { commitment: COMMITMENT, toValue: sumStake });
}

/** The addresses of the stake accounts that a wallet may withdraw from, as they can never be undone. */
export function listStakes(addresses: readonly string[], context: ReadContext): Promise<StakeReads<readonly string[]>> {
  return searchStakes(addresses, context, {
    commitment: 'finalized',
    toValue: (accounts) => accounts.map(({ address }) => address),
  });
}

type Search<T> = { readonly commitment: Commitment; readonly toValue: (accounts: readonly RpcAccount[]) => T };

async function searchStakes<T>(
  addresses: readonly string[],
  { pool, signal }: ReadContext,
  { commitment, toValue }: Search<T>,
): Promise<StakeReads<T>> {
  const refusing = new Set<RpcEndpoint>();
  const reads = await collect(addresses, {
    pool,
    signal,
    async fetch(missing, endpoint) {
      // What is final lies behind the newest slot that is known.
      const minSlot = commitment === COMMITMENT ? (pool.heads.tip() ?? 0n) : 0n;
      const options = { endpoint, signal, minSlot, commitment };
      const found = isKnownToRefuse(endpoint) ? undefined : await search(missing, toValue, options);
      if (found !== undefined) return found;
      refusing.add(endpoint);
      const { name } = endpoint;
      const error = new AppError('upstream_unsupported', `${name} does not search for stake accounts.`, { provider: name });
      return new Map(missing.map((address) => [address, error]));
    },
  });
  return { reads, isUnsupported: refusing.size > 0 && refusing.size === pool.names.length };
}

function isKnownToRefuse({ learnt }: RpcEndpoint): boolean {
  const until = learnt.get(REFUSED_KEY);
  return typeof until === 'number' && until > Date.now();
}

/** Undefined when the endpoint refuses the search, which the first wallet alone finds out. */
async function search<T>(
  [first, ...others]: readonly string[],
  toValue: Search<T>['toValue'],
  options: FetchOptions,
): Promise<ReadonlyMap<string, AtSlot<T> | AppError> | undefined> {
  const { endpoint } = options;
  if (first === undefined) return new Map();
  const ask = async (addresses: readonly string[]): Promise<readonly (readonly [string, AtSlot<T> | AppError])[]> => {
    const queries = addresses.map((address) => ({
      address,
      offset: WITHDRAWER_OFFSET,
      read: (accounts: readonly RpcAccount[]) => toValue(ownedStakes(address, accounts, endpoint.name)),
    }));
    const outcomes = await searchProgramAccounts(queries, { program: STAKE_PROGRAM, dataSlice: STAKE_SLICE }, options);
    return addresses.map((address, index) => [address, outcomes[index] ?? malformed(endpoint.name)] as const);
  };
  const [answer] = await ask([first]);
  const outcome = answer?.[1] ?? malformed(endpoint.name);
  if (outcome instanceof AppError && REFUSALS.has(outcome.code)) {
    endpoint.learnt.set(REFUSED_KEY, Date.now() + REFUSED_FOR_MS);
    return undefined;
  }
  // An endpoint that fails one search is left alone with the rest.
  return new Map([[first, outcome], ...(outcome instanceof AppError ? [] : await ask(others))]);
}

function ownedStakes(withdrawer: string, accounts: readonly RpcAccount[], provider: string): readonly RpcAccount[] {
  return accounts.filter(({ data }) => {
    if (data.length < STAKE_SLICE.length || addressAt(data, WITHDRAWER_OFFSET) !== withdrawer) throw malformed(provider);
    return OWNED_TAGS.has(data.readUInt32LE(0));
  });
}

function sumStake(accounts: readonly RpcAccount[]): bigint {
  return accounts.reduce((sum, { lamports }) => sum + lamports, 0n);
}
