import type { Backfill } from '../../domain/history/backfill.ts';
import type { BackfillWire } from '../schemas/backfills.ts';

export function presentBackfill(backfill: Backfill): BackfillWire {
  return {
    wallet_id: backfill.walletId,
    status: backfill.status,
    interval: 'day',
    from: backfill.from,
    through: backfill.through,
    progress: { done: backfill.daysDone, total: backfill.daysTotal },
    started_at: backfill.startedAt.toISOString(),
    finished_at: backfill.finishedAt?.toISOString() ?? null,
    unpriced_count: backfill.unpricedCount,
    price_error: backfill.priceErrorCode,
    chains: backfill.chains.map((chain) => ({ ...chain })),
  };
}
