import type { Alert, AlertUnknownReason, Measure } from '../../domain/alerts/alert.ts';
import { Decimal } from '../../domain/decimal.ts';
import type { FxReport, Portfolio, SourceReport } from '../../domain/portfolio.ts';
import type { Price } from '../../domain/price.ts';
import type { AssetService } from '../asset-service.ts';
import type { PortfolioService } from '../portfolio-service.ts';

export type AlertMeasureDeps = {
  readonly portfolio: Pick<PortfolioService, 'getPortfolio'>;
  readonly assets: Pick<AssetService, 'get'>;
};

/** Tells the figures that rules are about, from what is stored. What several rules need is read once. */
export function createAlertMeasures(deps: AlertMeasureDeps, tenantId: string): (alert: Alert) => Promise<Measure> {
  const read = new Map<string, Promise<Portfolio>>();
  const readPortfolio = (walletId: string | null, currency: string): Promise<Portfolio> => {
    const key = `${walletId ?? ''}/${currency}`;
    const known = read.get(key) ?? deps.portfolio.getPortfolio(tenantId, toQuery(walletId, currency));
    read.set(key, known);
    return known;
  };
  return async (alert) => {
    const { kind, walletId, assetId } = alert;
    const portfolio = await readPortfolio(walletId, alert.currency ?? 'USD');
    if (kind === 'value') return measureValue(portfolio);
    if (kind === 'staleness') return measureStaleness(portfolio.sources, alert.threshold);
    if (kind === 'share') return measureShare(portfolio, assetId ?? '');
    return measurePrice((await deps.assets.get(tenantId, assetId ?? '')).price, portfolio.fx);
  };
}

function toQuery(walletId: string | null, currency: string): Parameters<PortfolioService['getPortfolio']>[1] {
  return { walletIds: walletId === null ? null : [walletId], chains: null, currency, minValue: null, includeSpam: false };
}

const NOTHING_HELD: Measure = { value: null, unknownReasons: ['nothing_held'] };

function measureValue({ totalValue, incompleteReasons, sources, fx }: Portfolio): Measure {
  // Who follows no wallet has not become poor.
  if (sources.every(isNoChains)) return NOTHING_HELD;
  return { value: totalValue, unknownReasons: [...incompleteReasons, ...(fx.status === 'stale' ? (['fx_stale'] as const) : [])] };
}

function measureShare({ byAsset, totalUsdValue, incompleteReasons }: Portfolio, assetId: string): Measure {
  // Shares are the same in every currency.
  const unknownReasons = incompleteReasons.filter((reason) => reason !== 'fx_missing');
  if (unknownReasons.length === 0 && totalUsdValue?.gt(0) !== true) return NOTHING_HELD;
  const group = byAsset.find(({ key }) => key === assetId);
  return { value: group === undefined ? new Decimal(0) : group.share, unknownReasons };
}

const PRICE_REASONS = {
  ok: [],
  manual: [],
  stale: ['price_stale'],
  missing: ['price_missing'],
  quarantined: ['quarantined'],
} as const;

function measurePrice({ value, status }: Price, fx: FxReport): Measure {
  const fxReasons = { ok: [], stale: ['fx_stale'], missing: ['fx_missing'] } as const;
  const unknownReasons: readonly AlertUnknownReason[] = [...PRICE_REASONS[status], ...fxReasons[fx.status]];
  return { value: value === null || fx.rate === null ? null : value.times(fx.rate), unknownReasons };
}

/** The age of the oldest figures. One that is too old is certain whatever else is not known. */
function measureStaleness(sources: readonly SourceReport[], threshold: Decimal): Measure {
  const ofChains = sources.filter((source) => !isNoChains(source) && source.status !== 'unsupported');
  const ages = ofChains.flatMap(({ ageSeconds }) => ageSeconds ?? []);
  if (ages.length === 0) return { value: null, unknownReasons: ['nothing_read'] };
  const value = new Decimal(Math.max(...ages));
  const isCertain = value.gt(threshold) || ages.length === ofChains.length;
  return { value, unknownReasons: isCertain ? [] : ['source_never_read'] };
}

function isNoChains({ kind }: SourceReport): boolean {
  return kind === 'prices' || kind === 'fx';
}
