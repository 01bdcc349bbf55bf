import type { ShareByVersion } from '../adapters/cache.ts';
import { type AssetSettings, caip19, DEFAULT_ASSET_SETTINGS, isTakenAway } from '../domain/asset.ts';
import { staleAfterSeconds } from '../domain/cadence.ts';
import type { Chain } from '../domain/chain.ts';
import { Decimal, parseDecimal } from '../domain/decimal.ts';
import type { Holding, SourceKind, SourceState } from '../domain/holding.ts';
import type { FxReport, IncompleteReason, Portfolio, SourceReport, ValuedHolding } from '../domain/portfolio.ts';
import { buildPortfolio, findGaps, isWorthShowing } from '../domain/portfolio-builder.ts';
import type { MarketPrice } from '../domain/price.ts';
import { quarantineDominating } from '../domain/quarantine.ts';
import { reportFx, reportPriceSources, reportSource } from '../domain/source-report.ts';
import { valueHolding } from '../domain/valuation.ts';
import type { Wallet } from '../domain/wallet.ts';
import { type FullAssetContext, toAssetContexts } from './asset-context.ts';
import type { PriceService } from './price-service.ts';
import { requireChain, requireWallets } from './require-known.ts';
import { readStoredPortfolio, type StoredPortfolio, type StoredPortfolioDeps, sourceKey } from './stored-portfolio.ts';

export type PortfolioQuery = {
  readonly chains: readonly string[] | null;
  readonly walletIds: readonly string[] | null;
  /** Decimal digits in `currency`; assets worth less are left out of the lists, never out of the totals. */
  readonly minValue: string | null;
  /** Upper-case code. */
  readonly currency: string;
  readonly includeSpam: boolean;
};

export type WalletBalances = {
  readonly walletId: string;
  readonly currency: string;
  readonly holdings: readonly ValuedHolding[];
  readonly sources: readonly SourceReport[];
  readonly complete: boolean;
  readonly incompleteReasons: readonly IncompleteReason[];
};

export type Stock = {
  /** How far each source can be trusted now. */
  readonly sources: readonly SourceReport[];
  /** What counts as spam or is held back, and so adds nothing to a total. */
  readonly excludedAssetIds: readonly string[];
  /** Of what moment the oldest good price is that is stale, or that is not the price of today, since a newer one jumped away from it. */
  readonly oldestDoubtful: Date | null;
};

/** Reads what is stored, never a chain. Unknown wallets and chains throw wallet_not_found and unknown_chain. */
export type PortfolioService = {
  /** Ids of the assets that are held back because they claim to be worth more than all the rest. */
  findHeldBack(tenantId: string): Promise<ReadonlySet<string>>;
  getPortfolio(tenantId: string, query: PortfolioQuery): Promise<Portfolio>;
  /** What a snapshot has to know beside the amounts. */
  takeStock(tenantId: string): Promise<Stock>;
  getWalletBalances(tenantId: string, walletId: string, query: Omit<PortfolioQuery, 'walletIds'>): Promise<WalletBalances>;
};

type PortfolioServiceDeps = StoredPortfolioDeps & {
  readonly prices: Pick<PriceService, 'getRate'>;
  readonly chains: readonly Chain[];
  /** How often a wallet is read that does nothing special. */
  readonly baseSeconds: number;
  /** Gives what was read before, or is being read, as long as nothing of it has changed. */
  readonly share: ShareByVersion<StoredPortfolio>;
  readonly now: () => Date;
};

/** A rate of this age says little about a currency any more. */
const FX_STALE_AFTER_MS = 24 * 3_600_000;

export function createPortfolioService(deps: PortfolioServiceDeps): PortfolioService {
  // Every chart asks, and what is held back changes with what is stored alone.
  const heldBack = new WeakMap<StoredPortfolio, ReadonlySet<string>>();
  return {
    async getPortfolio(tenantId, query) {
      const view = await readView(deps, tenantId, query);
      return buildPortfolio({
        ...view,
        currency: query.currency,
        minValue: parseMinValue(query),
        includeSpam: query.includeSpam,
      });
    },
    async takeStock(tenantId) {
      const { sources, holdings, contexts } = await readView(deps, tenantId, { chains: null, walletIds: null, currency: 'USD' });
      const doubtful = holdings.flatMap((valued) => findDoubtful(valued, contexts.get(valued.holding.asset.id)?.market) ?? []);
      return {
        sources,
        excludedAssetIds: [...new Set(holdings.filter(isExcluded).map(({ holding }) => holding.asset.id))],
        oldestDoubtful: doubtful.length === 0 ? null : new Date(Math.min(...doubtful.map((moment) => moment.getTime()))),
      };
    },
    async findHeldBack(tenantId) {
      const stored = await readShared(deps, tenantId);
      const known = heldBack.get(stored) ?? listHeldBack(judge(deps, stored, { now: deps.now(), perUsd: null }));
      heldBack.set(stored, known);
      return known;
    },
    async getWalletBalances(tenantId, walletId, query) {
      const view = await readView(deps, tenantId, { ...query, walletIds: [walletId] });
      const minValue = parseMinValue(query);
      const isShown = (valued: ValuedHolding): boolean =>
        (query.includeSpam || !valued.spam.isSpam) && isWorthShowing(valued, minValue);
      const gaps = findGaps(view.holdings, view);
      return {
        walletId,
        currency: query.currency,
        holdings: view.holdings.filter(isShown),
        sources: view.sources,
        complete: gaps.length === 0,
        incompleteReasons: gaps,
      };
    },
  };
}

function listHeldBack({ holdings }: Everything): ReadonlySet<string> {
  const dominating = holdings.filter(({ price }) => price.reason === 'unlisted_dominates');
  return new Set(dominating.map(({ holding }) => holding.asset.id));
}

function isExcluded({ price, spam }: ValuedHolding): boolean {
  return spam.isSpam || price.reason === 'unlisted_dominates';
}

/** The moment of the last good price, which the past is told by, where the portfolio goes by another one or holds that to be stale. */
function findDoubtful(valued: ValuedHolding, market: MarketPrice | undefined): Date | undefined {
  const { holding, price } = valued;
  if (isExcluded(valued) || holding.amountRaw === 0n || price.status === 'manual') return undefined;
  const isDoubtful = price.status === 'stale' || market?.suspect != null;
  return isDoubtful ? market?.lastGood?.quotedAt : undefined;
}

function parseMinValue({ minValue }: Pick<PortfolioQuery, 'minValue'>): Decimal | null {
  return minValue === null ? null : new Decimal(minValue);
}

type View = {
  readonly now: Date;
  readonly contexts: ReadonlyMap<string, FullAssetContext>;
  readonly fx: FxReport;
  readonly holdings: readonly ValuedHolding[];
  readonly sources: readonly SourceReport[];
};

/** What the query covers. Holdings are judged against the whole portfolio before they are narrowed down to it. */
async function readView(
  deps: PortfolioServiceDeps,
  tenantId: string,
  query: Pick<PortfolioQuery, 'chains' | 'walletIds' | 'currency'>,
): Promise<View> {
  const now = deps.now();
  for (const slug of query.chains ?? []) requireChain(deps.chains, slug);
  const fx = await readFx(deps, query.currency, now);
  const all = await readEverything(deps, tenantId, { now, perUsd: fx.rate });
  requireWallets(all.wallets, query.walletIds);
  const covers = (walletId: string, chain: string): boolean =>
    (query.walletIds?.includes(walletId) ?? true) && (query.chains?.includes(chain) ?? true);
  const covered = all.holdings.filter(({ holding }) => covers(holding.walletId, holding.asset.chain));
  const coveredSources = all.sources.filter((state) => covers(state.walletId, state.chain));
  return {
    now,
    fx,
    contexts: all.contexts,
    holdings: covered,
    sources: report(deps, { ...all, covered, coveredSources, fx, now }),
  };
}

/** The moment from which on a figure of a source counts as fresh. */
type FreshSince = (source: SourceState | undefined) => Date;

type Everything = {
  readonly wallets: readonly Wallet[];
  readonly sources: readonly SourceState[];
  readonly contexts: ReadonlyMap<string, FullAssetContext>;
  readonly freshSince: FreshSince;
  readonly holdings: readonly ValuedHolding[];
};

/** All that is stored of a tenant, valued. */
async function readEverything(
  deps: PortfolioServiceDeps,
  tenantId: string,
  { now, perUsd }: { readonly now: Date; readonly perUsd: Decimal | null },
): Promise<Everything> {
  return judge(deps, await readShared(deps, tenantId), { now, perUsd });
}

function readShared(deps: PortfolioServiceDeps, tenantId: string): Promise<StoredPortfolio> {
  return deps.share(tenantId, () => readStoredPortfolio(deps, tenantId));
}

function judge(
  deps: PortfolioServiceDeps,
  { wallets, sources, holdings: stored, facts }: StoredPortfolio,
  { now, perUsd }: { readonly now: Date; readonly perUsd: Decimal | null },
): Everything {
  const assets = stored.map(({ asset }) => asset);
  const contexts = toAssetContexts(assets, facts, now);
  const freshSince: FreshSince = (source) =>
    new Date(now.getTime() - staleAfterSeconds(deps.baseSeconds, source?.intervalSeconds ?? null) * 1000);
  return { wallets, sources, contexts, freshSince, holdings: valueAll(stored, { contexts, sources, freshSince, perUsd }) };
}

async function readFx({ prices }: PortfolioServiceDeps, currency: string, now: Date): Promise<FxReport> {
  if (currency === 'USD') return { currency, rate: new Decimal(1), source: null, quotedAt: null, status: 'ok' };
  const rate = await prices.getRate(currency);
  const perUsd = rate === undefined ? undefined : parseDecimal(rate.perUsd);
  if (rate === undefined || perUsd === undefined)
    return { currency, rate: null, source: null, quotedAt: null, status: 'missing' };
  const isStale = now.getTime() - rate.quotedAt.getTime() > FX_STALE_AFTER_MS;
  return { currency, rate: perUsd, source: rate.source, quotedAt: rate.quotedAt, status: isStale ? 'stale' : 'ok' };
}

type Valuation = {
  readonly contexts: ReadonlyMap<string, FullAssetContext>;
  readonly sources: readonly SourceState[];
  readonly freshSince: FreshSince;
  readonly perUsd: Decimal | null;
};

/** Stored, but nothing of the portfolio: stake that is not there, and a token that the owner took away. */
function isDropped({ asset, position, amountRaw, error }: Holding, settings: AssetSettings): boolean {
  return (position === 'stake' && amountRaw === 0n && error === null) || isTakenAway(asset, settings);
}

function valueAll(stored: readonly Holding[], { contexts, sources, freshSince, perUsd }: Valuation): readonly ValuedHolding[] {
  const byKey = new Map(sources.map((state) => [sourceKey(state), state]));
  const valued = stored.flatMap((holding) => {
    const context = contexts.get(holding.asset.id);
    if (context === undefined || isDropped(holding, context.settings)) return [];
    const kind = kindOf(holding);
    const source = byKey.get(sourceKey({ walletId: holding.walletId, chain: holding.asset.chain, kind }));
    return [valueHolding(holding, context, { source, freshSince: freshSince(source), perUsd })];
  });
  return quarantineDominating(valued, (assetId) => contexts.get(assetId)?.settings ?? DEFAULT_ASSET_SETTINGS);
}

function kindOf({ position }: Holding): SourceKind {
  return position === 'stake' ? 'stake' : 'balances';
}

function report(
  deps: PortfolioServiceDeps,
  view: Pick<Everything, 'contexts' | 'freshSince'> & {
    covered: readonly ValuedHolding[];
    coveredSources: readonly SourceState[];
    fx: FxReport;
    now: Date;
  },
): readonly SourceReport[] {
  const chainOf = new Map(deps.chains.map((chain) => [chain.slug, chain]));
  const toCaip19 = ({ holding }: ValuedHolding): string => {
    const chain = chainOf.get(holding.asset.chain);
    return chain === undefined ? holding.asset.id : caip19(chain, holding.asset.address);
  };
  const options = { now: view.now, caip19: toCaip19 };
  const honest = view.covered.filter((valued) => !valued.spam.isSpam);
  const bySource = Map.groupBy(honest, ({ holding }) =>
    sourceKey({ walletId: holding.walletId, chain: holding.asset.chain, kind: kindOf(holding) }),
  );
  return [
    ...view.coveredSources.map((state) =>
      reportSource(state, bySource.get(sourceKey(state)) ?? [], { ...options, freshSince: view.freshSince(state) }),
    ),
    ...reportPriceSources(honest, (assetId) => view.contexts.get(assetId)?.market, options),
    ...reportFx(view.fx, view.now),
  ];
}
