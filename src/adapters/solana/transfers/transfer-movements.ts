import type { Transfer } from '../../../domain/ledger/ledger.ts';
import { WRAPPED_SOL_MINTS } from '../programs.ts';
import { followStakes, type StakeOwnership } from './transfer-stakes.ts';
import type { ChainTransaction, TokenBalance } from './transfer-transaction.ts';

/** Whose movements are read, and which accounts are known to be its own. */
export type MovementWallet = {
  readonly address: string;
  readonly isTokenAccount: (account: string) => boolean;
  readonly isStake: (account: string) => boolean;
  /** Whether stake is part of what the wallet holds: not where endpoints refuse to search for it. */
  readonly hasStake: boolean;
};

/** How much each party of a transaction gained (above zero) or gave of one asset. */
type Parties = Map<string, bigint>;

type Share = { readonly counterparty: string | null; readonly amountRaw: bigint; readonly isRest: boolean };

/**
 * What a transaction did to a wallet, by the balances before and after it, counted as the balance source counts: wrapped SOL is SOL, and so is its stake, so that
 * staking moves nothing; the rent in token accounts is in no figure, so that it leaves with the account as the other end and comes back from it. The fee is an
 * entry of its own. Where it is certain who gave whom, there is an entry for each other end; what arrived nowhere (a token's own transfer fee) is a fee.
 */
export function readMovements(
  transaction: ChainTransaction,
  wallet: MovementWallet,
  { chain, occurredAt }: { readonly chain: string; readonly occurredAt: Date },
): readonly Transfer[] {
  const { signature, fee, keys } = transaction;
  const base = { occurredAt, txHash: signature, blockNumber: transaction.slot };
  const transfers: Transfer[] = [];
  if (keys[0] === wallet.address && fee > 0n) {
    const asset = { chain, address: null };
    transfers.push({ ...base, asset, kind: 'fee', amountRaw: -fee, counterparty: null, reference: `${signature}/fee` });
  }
  for (const [mint, parties] of [[null, nativeParties(transaction, wallet)] as const, ...tokenParties(transaction, wallet)]) {
    for (const { counterparty, amountRaw, isRest } of share(parties, wallet.address)) {
      const place = isRest ? 'rest' : (counterparty ?? 'all');
      const kind = isRest && amountRaw < 0n ? 'fee' : 'transfer';
      const reference = `${signature}/${mint ?? 'native'}/${place}`;
      transfers.push({ ...base, asset: { chain, address: mint }, kind, amountRaw, counterparty, reference });
    }
  }
  return transfers;
}

/** The stake accounts that the transaction takes or could take from: of use to find those that are gone since. */
export function stakesOf(transaction: ChainTransaction, wallet: MovementWallet): ReadonlyMap<string, StakeOwnership> {
  return wallet.hasStake ? followStakes(transaction.stakeSteps, wallet.address, wallet.isStake) : new Map();
}

function add(parties: Parties, party: string, amount: bigint): void {
  parties.set(party, (parties.get(party) ?? 0n) + amount);
}

/** Who a token account's amount belongs to: itself, where nobody says whose it is. */
function ownerOf({ owner, account }: TokenBalance, wallet: MovementWallet): string {
  return owner ?? (wallet.isTokenAccount(account) ? wallet.address : account);
}

function tokenParties({ preTokens, postTokens }: ChainTransaction, wallet: MovementWallet): ReadonlyMap<string, Parties> {
  const byMint = new Map<string, Parties>();
  const count = (balance: TokenBalance, sign: bigint): void => {
    if (WRAPPED_SOL_MINTS.has(balance.mint)) return;
    const parties = byMint.get(balance.mint) ?? new Map();
    byMint.set(balance.mint, parties);
    add(parties, ownerOf(balance, wallet), sign * balance.amountRaw);
  };
  for (const balance of preTokens) count(balance, -1n);
  for (const balance of postTokens) count(balance, 1n);
  return byMint;
}

function nativeParties(transaction: ChainTransaction, wallet: MovementWallet): Parties {
  const { keys, fee, preLamports, postLamports, preTokens, postTokens } = transaction;
  const parties: Parties = new Map();
  const stakes = stakesOf(transaction, wallet);
  for (const [index, key] of keys.entries()) {
    const [pre, post] = [preLamports[index] ?? 0n, postLamports[index] ?? 0n];
    add(parties, key, post - pre + (index === 0 ? fee : 0n));
    const isKnown = wallet.hasStake && wallet.isStake(key);
    const { before, after } = stakes.get(key) ?? { before: isKnown, after: isKnown };
    const staked = (after ? post : 0n) - (before ? pre : 0n);
    add(parties, wallet.address, staked);
    add(parties, key, -staked);
  }
  const unwrap = (balance: TokenBalance, sign: bigint): void => {
    if (!WRAPPED_SOL_MINTS.has(balance.mint)) return;
    add(parties, ownerOf(balance, wallet), sign * balance.amountRaw);
    add(parties, balance.account, -sign * balance.amountRaw);
  };
  for (const balance of preTokens) unwrap(balance, -1n);
  for (const balance of postTokens) unwrap(balance, 1n);
  return parties;
}

/** One party's part, by other end where that is certain: where it is the only one to give (or to gain), or where only one other did the opposite. */
function share(parties: Parties, wallet: string): readonly Share[] {
  const own = parties.get(wallet) ?? 0n;
  if (own === 0n) return [];
  const others = [...parties].filter(([party, amount]) => party !== wallet && amount !== 0n);
  const opposite = others.filter(([, amount]) => amount > 0n !== own > 0n);
  const isAlone = opposite.length === others.length;
  const [first] = opposite;
  if (first === undefined || (opposite.length > 1 && !isAlone)) return [{ counterparty: null, amountRaw: own, isRest: false }];
  if (!isAlone) return [{ counterparty: first[0], amountRaw: own, isRest: false }];
  const shares = opposite.map(([counterparty, amount]) => {
    // Of two alone, one may give more than the other gains.
    const isMore = opposite.length === 1 && abs(amount) > abs(own);
    return { counterparty, amountRaw: isMore ? own : -amount, isRest: false };
  });
  const rest = shares.reduce((left, { amountRaw }) => left - amountRaw, own);
  return rest === 0n ? shares : [...shares, { counterparty: null, amountRaw: rest, isRest: true }];
}

function abs(amount: bigint): bigint {
  return amount < 0n ? -amount : amount;
}
