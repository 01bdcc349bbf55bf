import { AppError } from '../../domain/errors.ts';
import { collect } from './collect.ts';
import { CLOCK_SYSVAR, TOKEN_2022_PROGRAM } from './programs.ts';
import type { ReadContext } from './read-context.ts';
import { malformed, type RpcAccount } from './rpc-account.ts';
import type { AtSlot } from './rpc-reads.ts';
import { fetchAccounts } from './solana-rpc.ts';
import { MINT_SLICE, readTokenMint, type TokenMint } from './token-layout.ts';

/** A Token-2022 mint (null: what is there is none that can be read), and the chain's own time when it was read, in seconds. */
export type MintRead = { readonly slot: bigint; readonly mint: TokenMint | null; readonly chainTime: bigint };

/** Reads what Token-2022 mints say of the display of amounts, no earlier than a slot. One outcome for each mint. */
export function readMints(
  addresses: readonly string[],
  minSlot: bigint,
  { pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, MintRead | AppError>> {
  return collect(addresses, {
    pool,
    signal,
    async fetch(missing, endpoint) {
      const accounts = await fetchAccounts([CLOCK_SYSVAR, ...missing], MINT_SLICE, { endpoint, signal, minSlot });
      const clock = accounts.get(CLOCK_SYSVAR);
      const chainTime = clock instanceof AppError ? clock : (readClock(clock?.value?.data) ?? malformed(endpoint.name));
      return new Map(
        missing.map((address) => [address, toMintRead(accounts.get(address) ?? malformed(endpoint.name), chainTime)]),
      );
    },
  });
}

function toMintRead(account: AtSlot<RpcAccount | null> | AppError, chainTime: bigint | AppError): MintRead | AppError {
  if (account instanceof AppError) return account;
  if (chainTime instanceof AppError) return chainTime;
  const { slot, value } = account;
  return { slot, chainTime, mint: value?.program === TOKEN_2022_PROGRAM ? (readTokenMint(value.data) ?? null) : null };
}

/** The clock's layout: slot, start of the epoch, two epochs, unix time. */
function readClock(data: Buffer | undefined): bigint | undefined {
  return data === undefined || data.length < 40 ? undefined : data.readBigInt64LE(32);
}
