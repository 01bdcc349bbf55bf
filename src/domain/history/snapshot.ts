import type { SourceKind } from '../holding.ts';
import type { ReportedError } from '../portfolio.ts';

/** `full`: every source had been read lately and well. `partial`: some amounts are older, or were never known. */
export type SnapshotGrade = 'full' | 'partial';

/**
 * A source that a snapshot could not rely on. Its last good amounts are carried; there are none when `observedAt` is null. `prices`: some of the prices were old, or
 * newer ones had jumped away from them; the oldest is of that moment. They belong to no wallet and no chain.
 */
export type MissingSource = {
  readonly walletId: string | null;
  readonly chain: string | null;
  readonly kind: SourceKind | 'prices';
  readonly reason: 'stale' | 'failed' | 'never' | 'unsupported';
  readonly observedAt: Date | null;
  readonly code: ReportedError['code'] | null;
};

export type Snapshot = { readonly at: Date; readonly grade: SnapshotGrade; readonly missing: readonly MissingSource[] };
