import type { ChangesService } from '../../services/history/changes-service.ts';
import { changesExample } from '../history-examples.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { presentChanges } from '../presenters/changes.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { changesQuery, changesSchema } from '../schemas/changes.ts';
import { nothing } from '../schemas/common.ts';
import { toMoment } from '../to-moment.ts';

type ChangesRouteDeps = { readonly changes: ChangesService; readonly chains: ChainsBySlug };

/** Why the portfolio is worth something else than before. */
export function createChangesRoutes({ changes, chains }: ChangesRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/portfolio/changes',
      operationId: 'getChanges',
      access: 'read:values',
      tag: 'Portfolio',
      summary: 'Read why the value changed',
      description:
        'Splits the difference between two moments into its reasons, exactly. Each moment is told by the last snapshot at or before it, with the prices and rates that charts use there; `from` and `to` name it, and what it could not rely on. What the ledger does not explain stands under `unexplained`, unless more is known of it.',
      params: nothing,
      query: changesQuery,
      body: noBody,
      replies: {
        200: {
          description: 'The difference and its parts.',
          schema: changesSchema,
          example: changesExample,
        },
      },
      isCached: true,
      errors: ['snapshot_not_found', 'wallet_not_found', 'asset_not_found', 'unknown_chain'],
      handler: async ({ tenantId, query }) => {
        const found = await changes.explain(tenantId, {
          from: toMoment(query.from, { name: 'from', timeZone: query.tz }),
          to: query.to === undefined ? null : toMoment(query.to, { name: 'to', timeZone: query.tz }),
          currency: query.currency.toUpperCase(),
          walletIds: query.wallet_id ?? null,
          chains: query.chain ?? null,
          assetIds: query.asset_id ?? null,
          groupBy: query.group_by,
        });
        return reply(200, presentChanges(found, chains));
      },
    }),
  ];
}
