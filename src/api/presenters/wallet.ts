import { AppError } from '../../domain/errors.ts';
import type { Wallet } from '../../domain/wallet.ts';
import type { WalletWire } from '../schemas/wallets.ts';

/** A wallet as clients see it. */
export function presentWallet(wallet: Wallet): WalletWire {
  const [chain] = wallet.chains;
  if (chain === undefined) throw new AppError('internal', `The wallet ${wallet.id} follows no chain.`);
  return {
    id: wallet.id,
    address: wallet.address,
    family: wallet.family,
    chain,
    chains: [...wallet.chains],
    name: wallet.name,
    label: wallet.label,
    created_at: wallet.createdAt.toISOString(),
    updated_at: wallet.updatedAt.toISOString(),
  };
}
