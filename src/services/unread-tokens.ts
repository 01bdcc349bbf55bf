import type { TrackedAsset } from '../db/asset-store.ts';
import type { Holding, SourceState } from '../domain/holding.ts';

/**
 * Holdings that must exist but were never read: a token that was added by hand after a wallet's last good read of its chain. Until the next refresh
 * nobody knows how much of it the wallet holds.
 */
export function findUnreadTokens(
  tracked: readonly TrackedAsset[],
  sources: readonly SourceState[],
  stored: readonly Holding[],
): readonly Holding[] {
  const known = new Set(stored.map(({ walletId, asset }) => `${walletId}/${asset.id}`));
  return sources.flatMap(({ walletId, chain, kind, observedAt }) =>
    tracked
      .filter(({ asset, trackedAt }) => asset.chain === chain && observedAt !== null && trackedAt > observedAt)
      .filter(({ asset }) => kind === 'balances' && !known.has(`${walletId}/${asset.id}`))
      .map(({ asset }) => ({
        walletId,
        asset,
        position: 'wallet' as const,
        amountRaw: null,
        frozenRaw: 0n,
        ui: null,
        observedAt: null,
        block: null,
        error: null,
      })),
  );
}
