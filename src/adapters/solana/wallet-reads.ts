import { AppError } from '../../domain/errors.ts';
import { collect } from './collect.ts';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './programs.ts';
import type { ReadContext } from './read-context.ts';
import { malformed, type RpcAccount } from './rpc-account.ts';
import type { AtSlot } from './rpc-reads.ts';
import { highestSlot, lowestSlot } from './slots.ts';
import { type FetchOptions, fetchAccounts, fetchTokenAccounts } from './solana-rpc.ts';
import { ACCOUNT_SLICE } from './token-layout.ts';
import { sumTokenAccounts, type TokenSums } from './token-sums.ts';

/** What one wallet holds, by token program, at a slot that no part of it is older than. Rent inside token accounts is in no figure. */
export type WalletRead = {
  readonly slot: bigint;
  readonly lamports: bigint;
  readonly tokens: TokenSums;
  readonly tokens2022: TokenSums;
};

type Outcome<T> = AtSlot<T> | AppError | undefined;

const NO_DATA = { offset: 0, length: 0 };

/** Reads SOL and all token accounts of both token programs. One outcome for each wallet. */
export function readWallets(
  addresses: readonly string[],
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, WalletRead | AppError>> {
  return collect(addresses, {
    pool,
    signal,
    fetch: (missing, endpoint) => readFrom(missing, { endpoint, signal, minSlot: pool.heads.tip() ?? 0n }),
  });
}

async function readFrom(
  addresses: readonly string[],
  options: FetchOptions,
): Promise<ReadonlyMap<string, WalletRead | AppError>> {
  const sol = await fetchAccounts(addresses, NO_DATA, options);
  // Tokens at an older slot than the SOL could be the very ones it was paid for.
  const minSlot = highestSlot([...sol.values()].flatMap((outcome) => (outcome instanceof AppError ? [] : [outcome.slot])));
  const asked = addresses.filter((address) => !(sol.get(address) instanceof AppError));
  const provider = options.endpoint.name;
  const queries = asked.flatMap((owner) => {
    const read = (accounts: readonly RpcAccount[]): TokenSums => {
      const sums = sumTokenAccounts(owner, accounts);
      if (sums === undefined) throw malformed(provider);
      return sums;
    };
    return [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].map((program) => ({ owner, program, read }));
  });
  const sums = await fetchTokenAccounts(queries, ACCOUNT_SLICE, { ...options, minSlot });
  const tokensOf = new Map(asked.map((address, index) => [address, sums.slice(index * 2, index * 2 + 2)]));
  return new Map(
    addresses.map((address) => [address, join(sol.get(address), tokensOf.get(address) ?? []) ?? malformed(provider)]),
  );
}

/** The parts of a wallet as one, or what is wrong with one of them. */
function join(
  sol: Outcome<RpcAccount | null>,
  [tokens, tokens2022]: readonly Outcome<TokenSums>[],
): WalletRead | AppError | undefined {
  if (sol === undefined || sol instanceof AppError) return sol;
  if (tokens === undefined || tokens instanceof AppError) return tokens;
  if (tokens2022 === undefined || tokens2022 instanceof AppError) return tokens2022;
  const slot = lowestSlot([sol.slot, tokens.slot, tokens2022.slot]) ?? sol.slot;
  return { slot, lamports: sol.value?.lamports ?? 0n, tokens: tokens.value, tokens2022: tokens2022.value };
}
