import type { PerformanceService } from '../../services/performance/performance-service.ts';
import { percentPerformanceExample } from '../percent-examples.ts';
import type { PercentFace } from '../percent-face.ts';
import { performanceExample } from '../performance-example.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { redactPerformance } from '../presenters/percent-performance.ts';
import { presentPerformance } from '../presenters/performance.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { percentPerformanceQuery, percentPerformanceSchema } from '../schemas/percent.ts';
import { type PerformanceWire, performanceQuery, performanceSchema } from '../schemas/performance.ts';
import { toMoment } from '../to-moment.ts';

type PerformanceRouteDeps = { readonly performance: PerformanceService; readonly chains: ChainsBySlug };

const percent: PercentFace<PerformanceWire> = {
  query: percentPerformanceQuery,
  schema: percentPerformanceSchema,
  example: percentPerformanceExample,
  redact: redactPerformance,
};

/** How the portfolio did. */
export function createPerformanceRoutes({ performance, chains }: PerformanceRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/portfolio/performance',
      operationId: 'getPerformance',
      access: 'read:values',
      tag: 'Portfolio',
      summary: 'Read how the portfolio did',
      description:
        'Returns, risk, allocation, profit and loss, and the comparison with a basket, between two snapshots. A flow is valued at the last snapshot of the hour (UTC) that first shows it, or of the day where hours are not kept any more; deposits, withdrawals, what a wallet held when it was added and what the ledger does not explain are flows, while exchanges, fees and income are part of the return. Rates are fractions. A figure that cannot be told is null with a `reason`. Spam, your own prices and decimals are those of today.',
      params: nothing,
      query: performanceQuery,
      body: noBody,
      replies: { 200: { description: 'The performance.', schema: performanceSchema, example: performanceExample, percent } },
      isCached: true,
      errors: ['unknown_chain', 'asset_not_found'],
      handler: async ({ tenantId, query }) => {
        const found = await performance.getPerformance(tenantId, {
          period: query.period,
          from: query.from === undefined ? null : toMoment(query.from, { name: 'from', timeZone: query.tz }),
          to: query.to === undefined ? null : toMoment(query.to, { name: 'to', timeZone: query.tz }),
          timeZone: query.tz,
          currency: query.currency.toUpperCase(),
          chains: query.chain ?? null,
          benchmark: query.benchmark === 'none' ? null : query.benchmark,
          rebalancing: query.rebalance,
          costBasis: query.cost_basis,
          riskFreePerYear: query.risk_free === undefined ? null : Number(query.risk_free),
        });
        return reply(200, presentPerformance(found, chains));
      },
    }),
  ];
}
