import type { Refresh } from '../../domain/refresh.ts';
import type { RefreshWire } from '../schemas/refreshes.ts';

/** A refresh as clients see it. */
export function presentRefresh(refresh: Refresh): RefreshWire {
  const { walletIds, chains } = refresh.scope;
  return {
    id: refresh.id,
    status: refresh.status,
    scope: { wallet_ids: walletIds === null ? null : [...walletIds], chains: chains === null ? null : [...chains] },
    started_at: refresh.startedAt.toISOString(),
    finished_at: refresh.finishedAt?.toISOString() ?? null,
    progress: {
      done: refresh.sources.filter((source) => source.status !== 'pending').length,
      total: refresh.sources.length,
    },
    sources: refresh.sources.map(({ walletId, chain, kind, status, error }) => ({
      wallet_id: walletId,
      chain,
      kind,
      status,
      error: error === null ? null : { code: error.code, provider: error.provider },
    })),
  };
}
