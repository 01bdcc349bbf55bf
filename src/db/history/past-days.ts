import type { Transaction } from 'kysely';
import type { Day } from '../../domain/history/backfill.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { Block } from '../../domain/holding.ts';
import { noteChange } from '../data-version.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { rebuildBuckets } from './history-rebuild.ts';
import { findOldPrices } from './old-prices.ts';
import { dropIdlePoints, type PastAmount, savePastHolding } from './past-amounts.ts';
import { addMissing, findKnownFrom, insertPastSnapshot, listCarried } from './past-snapshots.ts';
import { ensureMonth, lockHistory } from './snapshot-store.ts';

/** What a wallet held on its chains when a day ended, or at the last snapshot of the day where there is one. */
export type PastDay = {
  readonly day: Day;
  readonly at: Date;
  /** Those that were read. `until`: the next moment at which the chain is known; null when there is none. */
  readonly chains: readonly {
    readonly chain: string;
    readonly block: Block | null;
    readonly until: Date | null;
    readonly amounts: readonly PastAmount[];
  }[];
  /** Those of the wallet's that could not be. */
  readonly missing: readonly MissingSource[];
  /** The moment of the day after it, if that was written down in the same way. */
  readonly next: Date | null;
};

export type PastDays = { readonly walletId: string; readonly days: readonly PastDay[]; readonly writtenAt: Date };

/** Writes days of a wallet down, newest first, if `claim` still has a right to; what it gives is given. */
export async function savePastDays<T>(
  db: TenantDb,
  tenantId: string,
  past: PastDays,
  claim: (trx: Transaction<Schema>) => Promise<T | undefined>,
): Promise<T | undefined> {
  // Apart from the rest, since a new month keeps others waiting.
  const months = new Map(past.days.map(({ at }) => [at.toISOString().slice(0, 7), at]));
  for (const month of months.values()) await ensureMonth(db.all, 'holding_points', month);
  return inTransaction(db.of(tenantId), async (trx) => {
    await lockHistory(trx, tenantId);
    const claimed = await claim(trx);
    if (claimed === undefined) return undefined;
    for (const day of past.days) await saveDay(trx, tenantId, { ...past, ...day });
    const oldest = past.days.at(-1)?.at;
    if (oldest !== undefined)
      await rebuildBuckets(trx, tenantId, { from: oldest, to: endOf(past.days), assetIds: assetsOf(past.days) });
    await noteChange(trx, tenantId);
    return claimed;
  });
}

async function saveDay(
  trx: Transaction<Schema>,
  tenantId: string,
  { walletId, writtenAt, at, chains, missing, next }: Omit<PastDays, 'days'> & PastDay,
): Promise<void> {
  const carried = await listCarried(trx, tenantId, { walletId, at });
  const isNew = await insertPastSnapshot(trx, tenantId, { at, writtenAt, missing: [...missing, ...carried] });
  if (!isNew) await addMissing(trx, tenantId, { at, sources: missing });
  for (const { chain, block, until, amounts } of chains) {
    // It may have become known since the backfill began.
    const known = until ?? (await findKnownFrom(trx, tenantId, { walletId, chain }));
    await savePastHolding(trx, tenantId, { walletId, chain, at, block, until: known, amounts });
  }
  // Live snapshots have judged the prices of what others hold.
  const assetIds = isNew ? null : chains.flatMap(({ amounts }) => amounts.map(({ assetId }) => assetId));
  await addMissing(trx, tenantId, { at, sources: await findOldPrices(trx, tenantId, { at, assetIds }) });
  if (next !== null) await dropIdlePoints(trx, tenantId, { walletId, at: next });
  // What others held is told of a new day as well.
  if (isNew) await rebuildBuckets(trx, tenantId, { from: at, to: at, assetIds: null });
}

/** The last moment up to which anything is told anew; null when there is no end to it. */
function endOf(days: readonly PastDay[]): Date | null {
  const ends = days.flatMap(({ chains }) => chains.map(({ until }) => until));
  return ends.includes(null)
    ? null
    : ends.reduce((last, end) => (last !== null && end !== null && last > end ? last : end), null);
}

function assetsOf(days: readonly PastDay[]): readonly string[] {
  return [...new Set(days.flatMap(({ chains }) => chains.flatMap(({ amounts }) => amounts.map(({ assetId }) => assetId))))];
}
