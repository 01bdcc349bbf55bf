import type { Chain } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';
import type { Wallet } from '../domain/wallet.ts';

/** The chain of a slug that a caller named. Throws unknown_chain. */
export function requireChain(chains: readonly Chain[], slug: string): Chain {
  const chain = chains.find((candidate) => candidate.slug === slug);
  if (chain === undefined) throw new AppError('unknown_chain', `There is no chain "${slug}". GET /api/v1/chains lists them.`);
  return chain;
}

/** Throws wallet_not_found unless all the ids that a caller named are among the wallets; null names none. */
export function requireWallets(wallets: readonly Wallet[], ids: readonly string[] | null): void {
  const known = new Set(wallets.map((wallet) => wallet.id));
  if (ids?.some((id) => !known.has(id))) throw new AppError('wallet_not_found', 'There is no wallet of this id.');
}
