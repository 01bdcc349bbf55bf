import type { SourceError, SourceKind } from './holding.ts';

/** What a refresh covers; null means all. */
export type RefreshScope = { readonly walletIds: readonly string[] | null; readonly chains: readonly string[] | null };

export type RefreshStatus = 'running' | 'finished' | 'interrupted';

/** One source's part in a refresh. */
export type RefreshSource = {
  readonly walletId: string;
  readonly chain: string;
  readonly kind: SourceKind;
  readonly status: 'pending' | 'ok' | 'failed' | 'unsupported';
  readonly error: SourceError | null;
};

/** A round of reading the chains. `finished` says that every source had its turn, not that every source succeeded. */
export type Refresh = {
  readonly id: string;
  readonly status: RefreshStatus;
  readonly scope: RefreshScope;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  readonly sources: readonly RefreshSource[];
};
