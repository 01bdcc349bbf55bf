import type { HistoryService } from '../../services/history/history-service.ts';
import { historyExample } from '../history-example.ts';
import { percentHistoryExample } from '../percent-examples.ts';
import type { PercentFace } from '../percent-face.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { historyCsv, presentHistory } from '../presenters/history.ts';
import { redactHistory } from '../presenters/percent-history.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { type HistoryWire, historyQuery, historySchema } from '../schemas/history.ts';
import { percentHistoryQuery, percentHistorySchema } from '../schemas/percent.ts';
import { toMoment } from '../to-moment.ts';

type HistoryRouteDeps = { readonly history: Pick<HistoryService, 'getHistory'>; readonly chains: ChainsBySlug };

const percent: PercentFace<HistoryWire> = {
  query: percentHistoryQuery,
  schema: percentHistorySchema,
  example: percentHistoryExample,
  redact: redactHistory,
};

/** What was held and worth before. */
export function createHistoryRoutes({ history, chains }: HistoryRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/portfolio/history',
      operationId: 'getHistory',
      access: 'read:values',
      tag: 'Portfolio',
      summary: 'Read what the portfolio was worth',
      description:
        'A point for each interval, of the last snapshot in it, as JSON or, by `Accept: text/csv`, as a table. Amounts and prices are those of then; what counts as spam, your own prices and the decimals are those of today. At most 2,000 points, and 20,000 of all series together.',
      params: nothing,
      query: historyQuery,
      body: noBody,
      replies: {
        200: { description: 'The history.', schema: historySchema, example: historyExample, csv: historyCsv, percent },
      },
      isCached: true,
      errors: ['wallet_not_found', 'unknown_chain', 'asset_not_found'],
      handler: async ({ tenantId, query }) => {
        const found = await history.getHistory(tenantId, {
          from: query.from === undefined ? null : toMoment(query.from, { name: 'from', timeZone: query.tz }),
          to: query.to === undefined ? null : toMoment(query.to, { name: 'to', timeZone: query.tz }),
          step: query.interval ?? null,
          timeZone: query.tz,
          currency: query.currency.toUpperCase(),
          walletIds: query.wallet_id ?? null,
          chains: query.chain ?? null,
          assetIds: query.asset_id ?? null,
          series: query.series,
          fill: query.fill,
        });
        return reply(200, presentHistory(found, chains));
      },
    }),
  ];
}
