import type { SnapshotStore } from '../../db/snapshot-store.ts';
import type { SourceReport } from '../../domain/portfolio.ts';
import type { MissingSource, Snapshot } from '../../domain/snapshot.ts';
import type { PortfolioService } from '../portfolio-service.ts';

export type SnapshotService = {
  /** Writes down what the tenant holds now. Undefined when there is nothing to write down yet, or another process has just done it. */
  take(tenantId: string): Promise<Snapshot | undefined>;
  /** Lets go of what is older than it is kept: snapshots become the last of their hour, then of their day. Running it again changes nothing. */
  thin(): Promise<void>;
};

type SnapshotServiceDeps = {
  readonly snapshots: SnapshotStore;
  readonly portfolio: Pick<PortfolioService, 'listSources' | 'listExcluded'>;
  /** How long all snapshots are kept, and how long the last one of each hour; the last one of each day is kept for ever. */
  readonly keep: { readonly rawDays: number; readonly hourlyDays: number };
  readonly now: () => Date;
};

export function createSnapshotService({ snapshots, portfolio, keep, now }: SnapshotServiceDeps): SnapshotService {
  return {
    async take(tenantId) {
      const sources = await portfolio.listSources(tenantId);
      // Before the first good read there is nothing to tell: a snapshot of it would say that nothing was held.
      if (!sources.some(({ observedAt }) => observedAt !== null)) return undefined;
      const missing = sources.flatMap(toMissing);
      const snapshot: Snapshot = { at: now(), grade: missing.length === 0 ? 'full' : 'partial', missing };
      const excludedAssetIds = await portfolio.listExcluded(tenantId);
      return (await snapshots.take(tenantId, { ...snapshot, excludedAssetIds })) ? snapshot : undefined;
    },
    thin: () => snapshots.thin(keep),
  };
}

function toMissing({ walletId, chain, kind, status, observedAt, error }: SourceReport): readonly MissingSource[] {
  if (status === 'ok' || walletId === null || chain === null || kind === 'prices' || kind === 'fx') return [];
  return [{ walletId, chain, kind, reason: status, observedAt, code: error?.code ?? null }];
}
