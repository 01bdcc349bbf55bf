import type { SnapshotStore } from '../../db/history/snapshot-store.ts';
import { toAppError } from '../../domain/errors.ts';
import type { MissingSource, Snapshot, SnapshotGrade } from '../../domain/history/snapshot.ts';
import type { SourceReport } from '../../domain/portfolio.ts';
import type { PortfolioService } from '../portfolio-service.ts';

export type SnapshotService = {
  /** Writes down what the tenant holds now. Undefined when there is nothing to write down yet, or another process has just done it. */
  take(tenantId: string): Promise<Snapshot | undefined>;
  /** Takes the snapshots that are due, of whomever: in each interval, and after a refresh of everything. Gives their number. Running it again changes nothing. */
  takeDue(signal: AbortSignal): Promise<number>;
  /** Lets go of what is older than it is kept: snapshots become the last of their hour, then of their day. Running it again changes nothing. */
  thin(signal: AbortSignal): Promise<void>;
};

type SnapshotServiceDeps = {
  readonly snapshots: SnapshotStore;
  readonly portfolio: Pick<PortfolioService, 'takeStock'>;
  readonly intervalSeconds: number;
  /** How long all snapshots are kept, and how long the last one of each hour; the last one of each day is kept for ever. */
  readonly keep: { readonly rawDays: number; readonly hourlyDays: number };
  /** Hears of each snapshot that was written down. */
  readonly onSnapshot: (grade: SnapshotGrade) => void;
  readonly log: { warn(details: object, message: string): void };
};

/** Longer than a batch of wallets takes to be read. */
const PATIENCE_SECONDS = 120;
/** Someone who refreshes again and again gets a snapshot a minute. */
const PAUSE_SECONDS = 60;
/** Tenants of one run; those that are left come next, seconds later. */
const MAX_AT_ONCE = 1_000;
/** A clock that is behind the last snapshot by more was set back. */
const MAX_BEHIND_MS = 60_000;

export function createSnapshotService(deps: SnapshotServiceDeps): SnapshotService {
  const { snapshots, intervalSeconds, keep } = deps;
  return {
    take: (tenantId) => take(deps, tenantId),
    async takeDue(signal) {
      await snapshots.recordMissed(intervalSeconds);
      const due = await snapshots.listDue({
        intervalSeconds,
        patienceSeconds: PATIENCE_SECONDS,
        pauseSeconds: PAUSE_SECONDS,
        limit: MAX_AT_ONCE,
      });
      let taken = 0;
      const faults: unknown[] = [];
      for (const tenantId of due) {
        if (signal.aborted) break;
        // What is wrong with one tenant keeps no other waiting.
        const snapshot = await take(deps, tenantId).catch((error: unknown) => void faults.push(error));
        if (snapshot !== undefined) taken++;
      }
      if (faults.length > 0) throw toAppError(faults[0]);
      return taken;
    },
    thin: (signal) => snapshots.thin(keep, signal),
  };
}

async function take(deps: SnapshotServiceDeps, tenantId: string): Promise<Snapshot | undefined> {
  const { snapshots, portfolio, onSnapshot } = deps;
  const latest = await snapshots.getLatest(tenantId);
  const { sources, excludedAssetIds, oldestDoubtful } = await portfolio.takeStock(tenantId);
  // Before the first good read there is nothing to tell: a snapshot of it would say that nothing was held.
  if (latest === undefined && !sources.some(({ observedAt }) => observedAt !== null)) return undefined;
  const missing = [...sources.flatMap(toMissing), ...toMissingPrices(oldestDoubtful)];
  const snapshot: Snapshot = { at: await chooseMoment(deps, latest), grade: missing.length === 0 ? 'full' : 'partial', missing };
  if (!(await snapshots.take(tenantId, { ...snapshot, excludedAssetIds, follows: latest?.at ?? null }))) return undefined;
  onSnapshot(snapshot.grade);
  return snapshot;
}

/**
 * Now by the database's clock: that of a process which is ahead would hide whatever the others write down until time has caught up with it. Where the clock was set back, right after the last snapshot until it has
 * caught up: in the true order, and none is lost.
 */
async function chooseMoment({ snapshots, log }: SnapshotServiceDeps, latest: Snapshot | undefined): Promise<Date> {
  const moment = await snapshots.readClock();
  const behindMs = latest === undefined ? -1 : latest.at.getTime() - moment.getTime();
  if (latest === undefined || behindMs < 0) return moment;
  if (behindMs > MAX_BEHIND_MS) log.warn({ behindMs }, 'the clock is behind the last snapshot: was it set back?');
  return new Date(latest.at.getTime() + 1);
}

function toMissingPrices(oldestDoubtful: Date | null): readonly MissingSource[] {
  if (oldestDoubtful === null) return [];
  return [{ walletId: null, chain: null, kind: 'prices', reason: 'stale', observedAt: oldestDoubtful, code: null }];
}

/** A source that was read lately is missing as well when one of its tokens could not be. */
function toMissing({ walletId, chain, kind, status, observedAt, error, failedAssets }: SourceReport): readonly MissingSource[] {
  const reason = status === 'ok' && failedAssets.length > 0 ? 'stale' : status;
  if (reason === 'ok' || walletId === null || chain === null || kind === 'prices' || kind === 'fx') return [];
  const code = error?.code ?? failedAssets[0]?.error.code ?? null;
  return [{ walletId, chain, kind, reason, observedAt, code }];
}
