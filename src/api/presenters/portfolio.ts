import { toDecimalAmount } from '../../domain/amount.ts';
import type { FxReport, Portfolio, PortfolioGroup, SourceReport } from '../../domain/portfolio.ts';
import type { WalletBalances } from '../../services/portfolio-service.ts';
import type { AssetGroupWire, BalancesWire, PortfolioWire, SourceWire } from '../schemas/portfolio.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentBalance } from './balance.ts';
import { presentBlock, presentDecimal, presentError, presentMoment, presentPrice, presentSpam } from './figures.ts';

/** The whole portfolio. Balances are listed once, under their asset; the other groups carry sums only. */
export function presentPortfolio(portfolio: Portfolio, chains: ChainsBySlug): PortfolioWire {
  const now = portfolio.generatedAt;
  return {
    currency: portfolio.currency,
    fx: presentFx(portfolio.fx),
    generated_at: now.toISOString(),
    as_of: presentMoment(portfolio.asOf),
    total_value: presentDecimal(portfolio.totalValue),
    total_usd_value: presentDecimal(portfolio.totalUsdValue),
    complete: portfolio.complete,
    incomplete_reasons: [...portfolio.incompleteReasons],
    unpriced_count: portfolio.unpricedCount,
    quarantined_count: portfolio.quarantinedCount,
    spam_count: portfolio.spamCount,
    stale_value_share: presentDecimal(portfolio.staleValueShare),
    mixed_block_chains: [...portfolio.mixedBlockChains],
    by_asset: portfolio.byAsset.flatMap((group) => presentAssetGroup(group, { chains, now })),
    by_chain: portfolio.byChain.map((group) => ({ chain: group.key, ...presentGroup(group) })),
    by_wallet: portfolio.byWallet.map((group) => ({ wallet_id: group.key, ...presentGroup(group) })),
    sources: portfolio.sources.map(presentSource),
  };
}

/** The balances of one wallet, as of `now`. */
export function presentBalances(
  view: WalletBalances,
  { chains, now }: { readonly chains: ChainsBySlug; readonly now: Date },
): BalancesWire {
  return {
    wallet_id: view.walletId,
    currency: view.currency,
    generated_at: now.toISOString(),
    complete: view.complete,
    incomplete_reasons: [...view.incompleteReasons],
    balances: view.holdings.map((valued) => presentBalance(valued, { chains, now })),
    sources: view.sources.map(presentSource),
  };
}

/** How far one part of an answer can be trusted. */
export function presentSource(source: SourceReport): SourceWire {
  return {
    wallet_id: source.walletId,
    chain: source.chain,
    kind: source.kind,
    status: source.status,
    observed_at: presentMoment(source.observedAt),
    age_seconds: source.ageSeconds,
    block: presentBlock(source.block),
    last_attempt_at: presentMoment(source.lastAttemptAt),
    error: presentError(source.error),
    failed_assets: source.failedAssets.map(({ assetId, error }) => ({
      asset_id: assetId,
      error: { code: error.code, provider: error.provider },
    })),
  };
}

function presentFx(fx: FxReport): PortfolioWire['fx'] {
  return {
    currency: fx.currency,
    rate: presentDecimal(fx.rate),
    source: fx.source,
    quoted_at: presentMoment(fx.quotedAt),
    status: fx.status,
  };
}

function presentGroup(group: PortfolioGroup<string>): Omit<PortfolioWire['by_chain'][number], 'chain'> {
  return {
    usd_value: presentDecimal(group.usdValue),
    value: presentDecimal(group.value),
    share: presentDecimal(group.share),
    unpriced_count: group.unpricedCount,
    complete: group.complete,
  };
}

function presentAssetGroup(
  group: PortfolioGroup<string>,
  context: { readonly chains: ChainsBySlug; readonly now: Date },
): readonly AssetGroupWire[] {
  const [first] = group.holdings;
  if (first === undefined) return [];
  const { asset } = first.holding;
  const amountRaw = sumAmounts(group);
  return [
    {
      ...presentAssetIdentity(asset, context.chains),
      asset_uuid: asset.id,
      balance_raw: amountRaw?.toString() ?? null,
      balance: amountRaw === null || asset.decimals === null ? null : toDecimalAmount(amountRaw, asset.decimals).toFixed(),
      price: presentPrice(first.price),
      spam: presentSpam(first.spam),
      ...presentGroup(group),
      balances: group.holdings.map((valued) => presentBalance(valued, context)),
    },
  ];
}

/** Null when a part of it was never read: a sum of the rest would pass for the whole. */
function sumAmounts({ holdings }: PortfolioGroup<string>): bigint | null {
  let total = 0n;
  for (const { holding } of holdings) {
    if (holding.amountRaw === null) return null;
    total += holding.amountRaw;
  }
  return total;
}
