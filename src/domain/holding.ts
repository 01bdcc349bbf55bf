import type { Asset, AssetRef } from './asset.ts';
import type { Decimal } from './decimal.ts';
import { type ErrorCode, toAppError } from './errors.ts';

/** The block (or Solana slot, whose hash endpoints do not tell) that a figure was read at. */
export type Block = { readonly number: bigint; readonly hash: string | null };

/** A failure fit for an answer: a stable code and who failed, never a URL. */
export type SourceError = { readonly code: ErrorCode; readonly provider: string | null };

/** Anything thrown, as it is told in an answer. */
export function toSourceError(thrown: unknown): SourceError {
  const { code, provider } = toAppError(thrown);
  return { code, provider: provider ?? null };
}

/** Where in a wallet an amount sits: free in it, or staked natively with it as the withdrawer. */
export type Position = 'wallet' | 'stake';

/** How a Token-2022 mint with a scaled or interest-bearing display shows an amount. The raw amount stays the truth. */
export type UiAmount = { readonly amount: Decimal; readonly multiplier: Decimal };

/**
 * What one read says about one asset of one wallet: an amount in smallest units, or why there is none.
 * `frozenRaw` is the part of `amountRaw` that its issuer has frozen.
 */
export type Reading =
  | {
      readonly status: 'ok';
      readonly asset: AssetRef;
      readonly amountRaw: bigint;
      readonly frozenRaw: bigint;
      readonly ui: UiAmount | null;
    }
  | { readonly status: 'failed'; readonly asset: AssetRef; readonly error: SourceError };

/** What is read as one thing and succeeds or fails as one: the free balances of a wallet on a chain, or its native stake there. */
export type SourceKind = 'balances' | 'stake';

/**
 * One source's outcome for one wallet in one refresh. `exhaustive`: an asset of this wallet and chain that the readings do not
 * name is known to be zero (Solana lists all accounts); otherwise it was not asked for and keeps what is stored.
 */
export type SourceReading = {
  readonly walletId: string;
  readonly chain: string;
  readonly kind: SourceKind;
} & (
  | {
      readonly status: 'ok';
      readonly block: Block;
      readonly observedAt: Date;
      readonly exhaustive: boolean;
      readonly readings: readonly Reading[];
    }
  | { readonly status: 'failed'; readonly attemptedAt: Date; readonly error: SourceError }
  | { readonly status: 'unsupported'; readonly attemptedAt: Date; readonly error: SourceError }
);

export type SourceStatus = 'ok' | 'stale' | 'failed' | 'never' | 'unsupported';

/** What is known about one source: its last good read and its last failure. */
export type SourceState = {
  readonly walletId: string;
  readonly chain: string;
  readonly kind: SourceKind;
  /** Of the last good read; null when there never was one. */
  readonly observedAt: Date | null;
  readonly block: Block | null;
  /** Outcome of the last attempt; null before the first. */
  readonly lastAttemptAt: Date | null;
  readonly lastOutcome: 'ok' | 'failed' | 'unsupported' | null;
  /** How often it is meant to be read; null when nobody has set that. */
  readonly intervalSeconds: number | null;
  readonly error: SourceError | null;
};

/** One stored amount: the last good one, and the failure since, if any. `amountRaw` null: it was never read. */
export type Holding = {
  readonly walletId: string;
  readonly asset: Asset;
  readonly position: Position;
  readonly amountRaw: bigint | null;
  readonly frozenRaw: bigint;
  readonly ui: UiAmount | null;
  readonly observedAt: Date | null;
  readonly block: Block | null;
  readonly error: SourceError | null;
};
