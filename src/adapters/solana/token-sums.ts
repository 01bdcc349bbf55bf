import type { RpcAccount } from './rpc-account.ts';
import { bytesOfAddress } from './solana-address.ts';
import { readTokenAccount } from './token-layout.ts';

/** What one mint adds up to in a wallet; `frozenRaw` is the part of `amountRaw` in frozen accounts. */
export type TokenSum = { readonly amountRaw: bigint; readonly frozenRaw: bigint };

/** By mint; null when one of the mint's accounts cannot be read, so that the sum is not known. */
export type TokenSums = ReadonlyMap<string, TokenSum | null>;

/**
 * Adds up an owner's token accounts by mint: every account counts, not only the associated one. Undefined when one belongs to somebody else
 * or is too short to name its mint: then the answer as a whole is not to be believed.
 */
export function sumTokenAccounts(owner: string, accounts: readonly RpcAccount[]): TokenSums | undefined {
  const ownerBytes = bytesOfAddress(owner);
  const sums = new Map<string, TokenSum | null>();
  for (const { data } of accounts) {
    const account = readTokenAccount(data);
    if (account === undefined || !account.owner.equals(ownerBytes)) return undefined;
    const { mint, amountRaw, isFrozen } = account;
    const sum = sums.has(mint) ? sums.get(mint) : { amountRaw: 0n, frozenRaw: 0n };
    if (sum == null || amountRaw === null) sums.set(mint, null);
    else sums.set(mint, { amountRaw: sum.amountRaw + amountRaw, frozenRaw: sum.frozenRaw + (isFrozen ? amountRaw : 0n) });
  }
  return sums;
}
