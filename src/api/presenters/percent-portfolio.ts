import type { PercentPortfolioWire } from '../schemas/percent.ts';
import type { PortfolioWire, SourceWire } from '../schemas/portfolio.ts';
import { nameAsset, roundShare } from './percent-figures.ts';

type PercentSource = PercentPortfolioWire['sources'][number];

/** The portfolio without what tells amounts, values or wallets. */
export function redactPortfolio(full: PortfolioWire): PercentPortfolioWire {
  return {
    redacted: true,
    generated_at: full.generated_at,
    as_of: full.as_of,
    complete: full.complete,
    incomplete_reasons: full.incomplete_reasons,
    stale_value_share: roundShare(full.stale_value_share),
    by_asset: full.by_asset.map((group) => ({
      ...nameAsset(group),
      share: roundShare(group.share),
      complete: group.complete,
    })),
    by_chain: full.by_chain.map(({ chain, share, complete }) => ({ chain, share: roundShare(share), complete })),
    sources: redactSources(full.sources),
  };
}

/** From good to bad. */
const STATUSES = ['ok', 'unsupported', 'stale', 'failed', 'never'] as const satisfies readonly SourceWire['status'][];

/** One entry for each chain and kind, so that nothing tells how many wallets there are. */
function redactSources(sources: readonly SourceWire[]): PercentSource[] {
  const groups = Map.groupBy(sources, ({ chain, kind }) => `${kind} ${chain}`);
  return [...groups.values()].flatMap((group): PercentSource[] => {
    const [first] = group;
    if (first === undefined) return [];
    const { observed_at, age_seconds } = group.reduce((oldest, source) =>
      oldest.observed_at !== null && (source.observed_at === null || source.observed_at < oldest.observed_at) ? source : oldest,
    );
    const status = STATUSES.findLast((each) => group.some((source) => source.status === each)) ?? first.status;
    return [{ chain: first.chain, kind: first.kind, status, observed_at, age_seconds }];
  });
}
