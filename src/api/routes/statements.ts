import type { StatementService } from '../../services/history/statement-service.ts';
import { statementExample } from '../history-examples.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { presentStatement, statementCsv } from '../presenters/statement.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { statementQuery, statementSchema } from '../schemas/statements.ts';

type StatementRouteDeps = { readonly statements: StatementService; readonly chains: ChainsBySlug };

/** What was held at the end of a day. */
export function createStatementRoutes({ statements, chains }: StatementRouteDeps): readonly Route[] {
  return [
    defineRoute({
      method: 'get',
      path: '/statements',
      operationId: 'getStatement',
      access: 'read:values',
      tag: 'Portfolio',
      summary: "Read the statement of a day's close",
      description:
        'Holdings and values of the last snapshot before the day ends in its zone, as JSON or, by `Accept: text/csv`, as a table of the holdings. Amounts and prices are those of then; what counts as spam, your own prices and the decimals are those of today, as in charts. `estimated` names all that is not of the close itself. A day that is not over has no statement yet.',
      params: nothing,
      query: statementQuery,
      body: noBody,
      replies: {
        200: { description: 'The statement.', schema: statementSchema, example: statementExample, csv: statementCsv },
      },
      isCached: true,
      errors: ['snapshot_not_found'],
      handler: async ({ tenantId, query }) => {
        const { date, tz, currency } = query;
        const found = await statements.getStatement(tenantId, { date, timeZone: tz, currency: currency.toUpperCase() });
        return reply(200, presentStatement(found, chains));
      },
    }),
  ];
}
