import { Decimal } from './decimal.ts';
import type { FxReport, IncompleteReason, Portfolio, PortfolioGroup, SourceReport, ValuedHolding } from './portfolio.ts';

type PortfolioParts = {
  readonly currency: string;
  readonly fx: FxReport;
  readonly now: Date;
  /** Already limited to the wallets and chains asked for; spam included. */
  readonly holdings: readonly ValuedHolding[];
  readonly sources: readonly SourceReport[];
  /** Groups worth less are left out of the lists, never out of the totals. In `currency`. */
  readonly minValue: Decimal | null;
  readonly includeSpam: boolean;
};

const SHARE_DECIMALS = 8;

/**
 * Adds a portfolio up. Totals hold what is neither spam nor held back and has a value; everything else is counted and named. With nothing
 * of known value the total is null, unless there is truly nothing to value.
 */
export function buildPortfolio(parts: PortfolioParts): Portfolio {
  const honest = parts.holdings.filter((valued) => !valued.spam.isSpam);
  const incompleteReasons = findGaps(honest, parts);
  const totalUsdValue = sum(honest, 'usdValue', incompleteReasons.length === 0);
  const totalValue = sum(honest, 'value', incompleteReasons.length === 0);
  const shown = parts.includeSpam ? parts.holdings : honest;
  const group = (slice: Slice): readonly PortfolioGroup<string>[] =>
    groupHoldings(shown, slice, { totalUsdValue, ...parts }).filter((entry) => isWorthShowing(entry, parts.minValue));
  return {
    currency: parts.currency,
    fx: parts.fx,
    generatedAt: parts.now,
    totalValue,
    totalUsdValue,
    complete: incompleteReasons.length === 0,
    incompleteReasons,
    asOf: oldest(honest),
    unpricedCount: countAssets(honest.filter(isUnpriced)),
    quarantinedCount: countAssets(honest.filter((valued) => valued.price.status === 'quarantined')),
    spamCount: countAssets(parts.holdings.filter((valued) => valued.spam.isSpam)),
    staleValueShare: staleShare(honest, totalUsdValue),
    mixedBlockChains: findMixedBlocks(parts.sources),
    byAsset: group({ keyOf: (valued) => valued.holding.asset.id, keyOfSource: () => null }),
    byChain: group({ keyOf: (valued) => valued.holding.asset.chain, keyOfSource: (source) => source.chain }),
    byWallet: group({ keyOf: (valued) => valued.holding.walletId, keyOfSource: (source) => source.walletId }),
    sources: parts.sources,
  };
}

function countAssets(holdings: readonly ValuedHolding[]): number {
  return new Set(holdings.map(({ holding }) => holding.asset.id)).size;
}

/** Whether every part of these holdings and sources is known and fresh; empty when it is. Spam leaves no gap. */
export function findGaps(
  holdings: readonly ValuedHolding[],
  { sources, fx }: { readonly sources: readonly SourceReport[]; readonly fx: FxReport },
): readonly IncompleteReason[] {
  const reasons = new Set<IncompleteReason>();
  for (const { kind, status } of sources) {
    if (kind === 'prices' || kind === 'fx') continue;
    if (status === 'never') reasons.add('source_never_read');
    if (status === 'failed') reasons.add('source_failed');
    if (status === 'stale') reasons.add('source_stale');
    if (status === 'unsupported') reasons.add('source_unsupported');
  }
  for (const valued of holdings) {
    if (valued.spam.isSpam) continue;
    if (valued.holding.error !== null || valued.holding.amountRaw === null) reasons.add('asset_failed');
    else if (valued.status === 'stale') reasons.add('source_stale');
    if (isUnpriced(valued)) reasons.add('unpriced');
    if (valued.valueReason === 'price_quarantined') reasons.add('quarantined');
    if (valued.price.status === 'stale' && counts(valued)) reasons.add('price_stale');
  }
  if (fx.status === 'missing') reasons.add('fx_missing');
  return [...reasons].sort();
}

/** Held for certain, but its value cannot be told: no price, or no decimals to apply one to. */
function isUnpriced({ valueReason }: ValuedHolding): boolean {
  return valueReason === 'price_missing' || valueReason === 'decimals_unknown';
}

function counts({ holding, usdValue }: ValuedHolding): boolean {
  return usdValue !== null && holding.amountRaw !== 0n;
}

function sum(holdings: readonly ValuedHolding[], field: 'usdValue' | 'value', isComplete: boolean): Decimal | null {
  let total: Decimal | null = null;
  for (const valued of holdings) {
    const value = valued[field];
    // A known zero proves nothing about a portfolio whose other parts are unknown.
    if (value === null || (value.isZero() && !isComplete)) continue;
    total = (total ?? new Decimal(0)).plus(value);
  }
  return total ?? (isComplete ? new Decimal(0) : null);
}

/** How holdings are sorted into groups, and which group a source belongs to; null for none. */
type Slice = {
  readonly keyOf: (valued: ValuedHolding) => string;
  readonly keyOfSource: (source: SourceReport) => string | null;
};

type GroupContext = Pick<PortfolioParts, 'sources' | 'fx'> & { readonly totalUsdValue: Decimal | null };

/** A chain or wallet that could not be read has a group too, though nothing is known to be in it. */
function groupHoldings(
  holdings: readonly ValuedHolding[],
  { keyOf, keyOfSource }: Slice,
  { sources, fx, totalUsdValue }: GroupContext,
): readonly PortfolioGroup<string>[] {
  const members = Map.groupBy(holdings, keyOf);
  const bySource = Map.groupBy(sources, keyOfSource);
  const keys = new Set([...members.keys(), ...[...bySource.keys()].filter((key) => key !== null)]);
  return [...keys]
    .map((key) => summariseGroup(key, members.get(key) ?? [], { sources: bySource.get(key) ?? [], fx, totalUsdValue }))
    .sort(byValueThenKey);
}

function summariseGroup(
  key: string,
  holdings: readonly ValuedHolding[],
  { sources, fx, totalUsdValue }: GroupContext,
): PortfolioGroup<string> {
  const counted = holdings.filter((valued) => !valued.spam.isSpam);
  const isSpam = holdings.length > 0 && counted.length === 0;
  const complete = findGaps(counted, { sources, fx }).length === 0;
  const usdValue = isSpam ? null : sum(counted, 'usdValue', complete);
  return {
    key,
    usdValue,
    value: isSpam ? null : sum(counted, 'value', complete),
    share: share(usdValue, totalUsdValue),
    unpricedCount: countAssets(counted.filter(isUnpriced)),
    complete,
    holdings,
  };
}

function share(part: Decimal | null, total: Decimal | null): Decimal | null {
  if (part === null || total === null || !total.isGreaterThan(0)) return null;
  return part.div(total).decimalPlaces(SHARE_DECIMALS);
}

/** Most valuable first, then what has no known value, each in a stable order. */
function byValueThenKey(a: PortfolioGroup<string>, b: PortfolioGroup<string>): number {
  const byValue = (b.usdValue ?? new Decimal(-1)).comparedTo(a.usdValue ?? new Decimal(-1)) ?? 0;
  return byValue === 0 ? a.key.localeCompare(b.key, 'en') : byValue;
}

/** What has no known value is never hidden by a minimum: it might be worth anything. */
export function isWorthShowing({ value }: { readonly value: Decimal | null }, minValue: Decimal | null): boolean {
  return minValue === null || value === null || value.isGreaterThanOrEqualTo(minValue);
}

function oldest(holdings: readonly ValuedHolding[]): Date | null {
  const moments = holdings.flatMap(({ holding, usdValue }) =>
    usdValue === null || holding.observedAt === null ? [] : [holding.observedAt.getTime()],
  );
  return moments.length === 0 ? null : new Date(moments.reduce((a, b) => Math.min(a, b)));
}

function staleShare(holdings: readonly ValuedHolding[], totalUsdValue: Decimal | null): Decimal | null {
  const stale = holdings.filter((valued) => valued.status === 'stale' || valued.price.status === 'stale');
  return share(sum(stale, 'usdValue', true), totalUsdValue);
}

function findMixedBlocks(sources: readonly SourceReport[]): readonly string[] {
  const blocks = new Map<string, Set<bigint>>();
  for (const { chain, kind, block } of sources) {
    if (chain === null || block === null || kind !== 'balances') continue;
    blocks.set(chain, (blocks.get(chain) ?? new Set()).add(block.number));
  }
  return [...blocks].filter(([, numbers]) => numbers.size > 1).map(([chain]) => chain);
}
