import { AppError } from '../../../domain/errors.ts';
import { collect } from '../collect.ts';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../programs.ts';
import type { ReadContext } from '../read-context.ts';
import { malformed, type RpcAccount } from '../rpc-account.ts';
import { highestSlot } from '../slots.ts';
import { addressAt } from '../solana-address.ts';
import { fetchTokenAccounts } from '../solana-rpc.ts';
import { listStakes } from '../stake-reads.ts';
import { type CursorAccount, MAX_ACCOUNTS, type TransferCursor } from './transfer-cursor.ts';

type TokenAccounts = { readonly slot: bigint; readonly accounts: readonly string[] };

const OWNER_SLICE = { offset: 32, length: 32 };

/**
 * Where reading the past of each wallet begins: the newest slot that can never be undone, and the accounts that the wallet had then: what goes to a token account or a stake names it
 * alone, and not the wallet.
 */
export async function listAccounts(
  wallets: readonly string[],
  context: ReadContext,
): Promise<ReadonlyMap<string, TransferCursor | AppError>> {
  const [tokens, stakes] = await Promise.all([listTokenAccounts(wallets, context), listStakes(wallets, context)]);
  return new Map(wallets.map((wallet) => [wallet, join(wallet, tokens.get(wallet), stakes)]));
}

function join(
  wallet: string,
  tokens: TokenAccounts | AppError | undefined,
  { reads, isUnsupported }: Awaited<ReturnType<typeof listStakes>>,
): TransferCursor | AppError {
  const stake = isUnsupported ? { slot: 0n, value: [] } : reads.get(wallet);
  const silent = new AppError('upstream_malformed', 'An endpoint left out what it was asked for.');
  if (tokens === undefined || stake === undefined) return silent;
  if (tokens instanceof AppError) return tokens;
  if (stake instanceof AppError) return stake;
  const accounts: readonly CursorAccount[] = [
    { kind: 'wallet', address: wallet, before: null },
    ...tokens.accounts.map((address) => ({ kind: 'token', address, before: null }) as const),
    ...stake.value.map((address) => ({ kind: 'stake', address, before: null }) as const),
  ];
  if (accounts.length > MAX_ACCOUNTS) return tooManyAccounts();
  // What closes an account after it was listed names the wallet, and is met on the way.
  return { toSlot: highestSlot([tokens.slot, stake.slot]), hasStake: !isUnsupported, accounts };
}

/** What a wallet with more accounts than can be followed fails with. */
export function tooManyAccounts(): AppError {
  return new AppError('upstream_unsupported', 'This wallet has too many accounts to follow.');
}

function listTokenAccounts(
  wallets: readonly string[],
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, TokenAccounts | AppError>> {
  return collect(wallets, {
    pool,
    signal,
    async fetch(missing, endpoint) {
      const queries = missing.flatMap((owner) => {
        const read = (accounts: readonly RpcAccount[]): readonly string[] =>
          accounts.map(({ address, data }) => {
            if (data.length < OWNER_SLICE.length || addressAt(data, 0) !== owner) throw malformed(endpoint.name);
            return address;
          });
        return [TOKEN_PROGRAM, TOKEN_2022_PROGRAM].map((program) => ({ owner, program, read }));
      });
      const options = { endpoint, signal, minSlot: 0n, commitment: 'finalized' } as const;
      const lists = await fetchTokenAccounts(queries, OWNER_SLICE, options);
      return new Map(
        missing.map((owner, index): [string, TokenAccounts | AppError] => {
          const [plain, newer] = lists.slice(index * 2, index * 2 + 2);
          if (plain === undefined || newer === undefined) return [owner, malformed(endpoint.name)];
          if (plain instanceof AppError) return [owner, plain];
          if (newer instanceof AppError) return [owner, newer];
          return [owner, { slot: highestSlot([plain.slot, newer.slot]), accounts: [...plain.value, ...newer.value] }];
        }),
      );
    },
  });
}
