import { z } from 'zod';
import type { PortfolioService } from '../../services/portfolio-service.ts';
import { balancesExample, portfolioExample } from '../examples.ts';
import { percentPortfolioExample } from '../percent-examples.ts';
import type { PercentFace } from '../percent-face.ts';
import type { ChainsBySlug } from '../presenters/asset.ts';
import { redactPortfolio } from '../presenters/percent-portfolio.ts';
import { presentBalances, presentPortfolio } from '../presenters/portfolio.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing, uuid } from '../schemas/common.ts';
import { percentPortfolioQuery, percentPortfolioSchema } from '../schemas/percent.ts';
import { balancesQuery, balancesSchema, type PortfolioWire, portfolioQuery, portfolioSchema } from '../schemas/portfolio.ts';

type PortfolioRouteDeps = {
  readonly portfolio: PortfolioService;
  readonly chains: ChainsBySlug;
  readonly now: () => Date;
  /** Hears why an answer is not complete. */
  readonly onPartialAnswer: (reasons: readonly string[]) => void;
};

/** Those of an answer that may have been kept. */
const KEPT = {
  Age: 'Seconds since the answer was made, if it was not made for this request: ages in it count on from then.',
  'Cache-Status':
    'Where the answer comes from (RFC 9211). `ttl` below zero or a `detail`: no newer one could be had in time. Ask with `Cache-Control: no-cache` for one of this moment.',
};

const AGES =
  'The `ETag` tells whether anything but ages has changed: after a 304 count ages on from `observed_at` or `last_updated`.';

const percent: PercentFace<PortfolioWire> = {
  query: percentPortfolioQuery,
  schema: percentPortfolioSchema,
  example: percentPortfolioExample,
  redact: redactPortfolio,
};

/** Reading what is stored. */
export function createPortfolioRoutes(deps: PortfolioRouteDeps): readonly Route[] {
  return [portfolioRoute(deps), balancesRoute(deps)];
}

function portfolioRoute({ portfolio, chains, onPartialAnswer }: PortfolioRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/portfolio',
    operationId: 'getPortfolio',
    access: 'read:values',
    tag: 'Portfolio',
    summary: 'Read the portfolio',
    description: `What is stored, added up; never waits for a chain. Totals hold what is priced; \`complete\`, \`incomplete_reasons\` and \`sources\` say what is missing. ${AGES}`,
    params: nothing,
    query: portfolioQuery,
    body: noBody,
    replies: {
      200: { description: 'The portfolio.', schema: portfolioSchema, example: portfolioExample, headers: KEPT, percent },
    },
    isCached: true,
    errors: ['wallet_not_found', 'unknown_chain'],
    handler: async ({ tenantId, query }) => {
      const filters = { ...toFilters(query), walletIds: query.wallet_id ?? null };
      const found = await portfolio.getPortfolio(tenantId, filters);
      onPartialAnswer(found.incompleteReasons);
      return reply(200, presentPortfolio(found, chains));
    },
  });
}

function balancesRoute({ portfolio, chains, now, onPartialAnswer }: PortfolioRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/wallets/{id}/balances',
    operationId: 'getBalances',
    access: 'read:values',
    tag: 'Wallets',
    summary: 'Read the balances of a wallet',
    description: `What is stored; never waits for a chain. ${AGES}`,
    params: z.strictObject({ id: uuid }),
    query: balancesQuery,
    body: noBody,
    replies: { 200: { description: 'The balances.', schema: balancesSchema, example: balancesExample, headers: KEPT } },
    isCached: true,
    errors: ['wallet_not_found', 'unknown_chain'],
    handler: async ({ tenantId, params, query }) => {
      const view = await portfolio.getWalletBalances(tenantId, params.id, toFilters(query));
      onPartialAnswer(view.incompleteReasons);
      return reply(200, presentBalances(view, { chains, now: now() }));
    },
  });
}

function toFilters(query: z.output<typeof balancesQuery>): Parameters<PortfolioService['getWalletBalances']>[2] {
  return {
    chains: query.chain ?? null,
    minValue: query.min_value ?? null,
    currency: query.currency.toUpperCase(),
    includeSpam: query.include?.includes('spam') ?? false,
  };
}
