import type { SourceState, SourceStatus } from './holding.ts';
import type { FxReport, SourceReport, ValuedHolding } from './portfolio.ts';
import { isHarmless, type MarketPrice, type PriceAttempt } from './price.ts';

type ReportOptions = {
  readonly now: Date;
  readonly caip19: (holding: ValuedHolding) => string;
};

/** The report on one wallet's source on one chain, with the assets in it that failed on their own. */
export function reportSource(
  state: SourceState,
  holdings: readonly ValuedHolding[],
  options: ReportOptions & { readonly freshSince: Date },
): SourceReport {
  const failedAssets = holdings.flatMap((valued) => {
    const { error } = valued.holding;
    return error === null ? [] : [{ assetId: options.caip19(valued), error }];
  });
  return {
    walletId: state.walletId,
    chain: state.chain,
    kind: state.kind,
    status: sourceStatus(state, options.freshSince),
    observedAt: state.observedAt,
    ageSeconds: ageSeconds(state.observedAt, options.now),
    block: state.block,
    lastAttemptAt: state.lastAttemptAt,
    error: state.error,
    failedAssets,
  };
}

/** Seconds since a moment, never negative: a clock that jumped back makes nothing younger than now. */
export function ageSeconds(moment: Date | null, now: Date): number | null {
  return moment === null ? null : Math.max(0, Math.floor((now.getTime() - moment.getTime()) / 1000));
}

function sourceStatus(state: SourceState, freshSince: Date): SourceStatus {
  if (state.lastOutcome === null) return 'never';
  if (state.lastOutcome === 'unsupported') return 'unsupported';
  if (state.observedAt === null) return 'failed';
  return state.lastOutcome === 'failed' || state.observedAt < freshSince ? 'stale' : 'ok';
}

/**
 * One report for each price source that failed, or whose quote was refused, for an asset that is left without a good price.
 * A source whose assets all got a good price elsewhere is no gap in the answer.
 */
export function reportPriceSources(
  holdings: readonly ValuedHolding[],
  marketOf: (assetId: string) => MarketPrice | undefined,
  options: ReportOptions,
): readonly SourceReport[] {
  const bySource = new Map<string, { attempt: PriceAttempt; checkedAt: Date | null; failed: Map<string, PriceAttempt> }>();
  for (const valued of holdings) {
    if (valued.price.status === 'ok' || valued.price.status === 'manual') continue;
    const market = marketOf(valued.holding.asset.id);
    for (const attempt of market?.attempts ?? []) {
      if (isHarmless(attempt.reason)) continue;
      const entry = bySource.get(attempt.source) ?? { attempt, checkedAt: market?.checkedAt ?? null, failed: new Map() };
      entry.failed.set(options.caip19(valued), attempt);
      bySource.set(attempt.source, entry);
    }
  }
  return [...bySource].map(([source, { attempt, checkedAt, failed }]) => ({
    walletId: null,
    chain: null,
    kind: 'prices',
    status: 'failed',
    observedAt: null,
    ageSeconds: null,
    block: null,
    lastAttemptAt: checkedAt,
    error: { code: attempt.reason, provider: source },
    failedAssets: [...failed].map(([assetId, { reason }]) => ({ assetId, error: { code: reason, provider: source } })),
  }));
}

/** The report on the currency rate, when one was needed and is not fresh. */
export function reportFx(fx: FxReport, now: Date): readonly SourceReport[] {
  if (fx.status === 'ok') return [];
  return [
    {
      walletId: null,
      chain: null,
      kind: 'fx',
      status: fx.status === 'stale' ? 'stale' : 'failed',
      observedAt: fx.quotedAt,
      ageSeconds: ageSeconds(fx.quotedAt, now),
      block: null,
      lastAttemptAt: null,
      error: null,
      failedAssets: [],
    },
  ];
}
