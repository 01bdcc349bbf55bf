import type { Decimal } from './decimal.ts';
import type { ErrorCode } from './errors.ts';
import type { Holding, SourceKind, SourceState, SourceStatus } from './holding.ts';
import type { Price, PriceReason } from './price.ts';
import type { SpamVerdict } from './spam.ts';

/** Why a value is null. */
export type ValueReason = 'amount_unknown' | 'decimals_unknown' | 'price_missing' | 'price_quarantined' | 'fx_missing';

/** A stored amount with its price and value. Values are null, with a reason, whenever a part of them is unknown. */
export type ValuedHolding = {
  readonly holding: Holding;
  /** `stale`: the last good amount, read too long ago or not by the last attempt. `failed`: never read. */
  readonly status: 'ok' | 'stale' | 'failed';
  readonly amount: Decimal | null;
  /** In US dollars. */
  readonly price: Price;
  readonly usdValue: Decimal | null;
  /** In the currency asked for. */
  readonly value: Decimal | null;
  readonly valueReason: ValueReason | null;
  readonly spam: SpamVerdict;
};

/** A failure as `sources[]` tells it: a chain's, or a price source's. */
export type ReportedError = { readonly code: ErrorCode | PriceReason; readonly provider: string | null };

/** One entry of `sources[]`: how far a part of the answer can be trusted. */
export type SourceReport = {
  readonly walletId: string | null;
  readonly chain: string | null;
  readonly kind: SourceKind | 'prices' | 'fx';
  readonly status: SourceStatus;
  readonly observedAt: Date | null;
  readonly ageSeconds: number | null;
  readonly block: SourceState['block'];
  readonly lastAttemptAt: Date | null;
  readonly error: ReportedError | null;
  /** Assets inside this source that failed on their own: CAIP-19 ids. */
  readonly failedAssets: readonly { readonly assetId: string; readonly error: ReportedError }[];
};

export type FxReport = {
  readonly currency: string;
  /** Units per US dollar; null when no source knows it. */
  readonly rate: Decimal | null;
  readonly source: string | null;
  readonly quotedAt: Date | null;
  readonly status: 'ok' | 'stale' | 'missing';
};

/** A slice of the portfolio. `value` is null when nothing in it has a known value although something is there, or when all of it is spam. */
export type PortfolioGroup<Key> = {
  readonly key: Key;
  readonly value: Decimal | null;
  readonly usdValue: Decimal | null;
  /** Part of the total, 0 to 1; null without a value or a total above zero. */
  readonly share: Decimal | null;
  readonly unpricedCount: number;
  /** Whether every part of it is known, fresh and priced; by chain and by wallet, its sources included. */
  readonly complete: boolean;
  readonly holdings: readonly ValuedHolding[];
};

/** Why `complete` is false. */
export type IncompleteReason =
  | 'source_never_read'
  | 'source_failed'
  | 'source_stale'
  | 'source_unsupported'
  | 'asset_failed'
  | 'unpriced'
  | 'price_stale'
  | 'quarantined'
  | 'fx_missing';

export type Portfolio = {
  readonly currency: string;
  readonly fx: FxReport;
  readonly generatedAt: Date;
  /** Sum of what is priced; null when something is held or unread and nothing has a known value. */
  readonly totalValue: Decimal | null;
  readonly totalUsdValue: Decimal | null;
  readonly complete: boolean;
  readonly incompleteReasons: readonly IncompleteReason[];
  /** Age of the oldest figure in the total. */
  readonly asOf: Date | null;
  /** These three count assets. */
  readonly unpricedCount: number;
  readonly quarantinedCount: number;
  readonly spamCount: number;
  /** Part of the total, 0 to 1, whose amount or price is stale; null without a total above zero. */
  readonly staleValueShare: Decimal | null;
  /** Chains whose wallets were read at different blocks (each wallet's own figures are always from one block). */
  readonly mixedBlockChains: readonly string[];
  readonly byAsset: readonly PortfolioGroup<string>[];
  readonly byChain: readonly PortfolioGroup<string>[];
  readonly byWallet: readonly PortfolioGroup<string>[];
  readonly sources: readonly SourceReport[];
};
