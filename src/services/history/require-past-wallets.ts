import type { HistoryStore } from '../../db/history/history-store.ts';
import { AppError } from '../../domain/errors.ts';

type Asked = { readonly walletIds: readonly string[] | null; readonly followed: ReadonlySet<string> };

/** Throws wallet_not_found unless each of the ids that a caller named is of a wallet that is followed, or has a past: what is followed no more keeps it. */
export async function requirePastWallets(
  history: Pick<HistoryStore, 'findWallets'>,
  tenantId: string,
  { walletIds, followed }: Asked,
): Promise<void> {
  const others = new Set(walletIds?.filter((id) => !followed.has(id)));
  const gone = others.size === 0 ? [] : await history.findWallets(tenantId, [...others]);
  if (gone.length < others.size) throw new AppError('wallet_not_found', 'There is no wallet of this id.');
}
