import type { Chain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT_ID } from '../../domain/tenant.ts';
import { METRICS_CONTENT_TYPE, type Metrics } from '../../lib/metrics.ts';
import type { HealthService } from '../../services/health-service.ts';
import { chainsExample, downExample, healthExample, metricsExample } from '../examples.ts';
import { presentChain, presentHealth } from '../presenters/system.ts';
import { defineRoute, noBody, type Route, reply } from '../route.ts';
import { nothing } from '../schemas/common.ts';
import { chainsSchema, healthSchema, metricsSchema } from '../schemas/system.ts';

type SystemRouteDeps = {
  readonly health: Pick<HealthService, 'getHealth'>;
  readonly metrics: Pick<Metrics, 'scrape'>;
  readonly chains: readonly Chain[];
  readonly endpointNames: () => ReadonlyMap<string, readonly string[]>;
  readonly stopSignal: AbortSignal;
};

/** What the service can read, and how it is. */
export function createSystemRoutes(deps: SystemRouteDeps): readonly Route[] {
  return [chainsRoute(deps), healthRoute(deps), metricsRoute(deps)];
}

function chainsRoute({ chains, endpointNames }: SystemRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/chains',
    operationId: 'listChains',
    access: 'any_key',
    tag: 'System',
    summary: 'List the chains',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: { 200: { description: 'Every chain there is.', schema: chainsSchema, example: chainsExample } },
    errors: [],
    handler: async () => {
      const names = endpointNames();
      return reply(200, { chains: chains.map((chain) => presentChain(chain, names.get(chain.slug) ?? [])) });
    },
  });
}

function healthRoute({ health, stopSignal }: SystemRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/health',
    operationId: 'getHealth',
    access: 'any_key',
    isMomentary: true,
    tag: 'System',
    summary: 'How the service and its parts are',
    cost: 0,
    description:
      'Tells what was found last and asks the database only. While the service stops it is a 503 with a problem document.',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: {
      200: { description: 'It works, perhaps without some of its sources.', schema: healthSchema, example: healthExample },
      503: { description: 'The database cannot be reached.', schema: healthSchema, example: downExample },
    },
    errors: [],
    handler: async () => {
      if (stopSignal.aborted) throw new AppError('shutting_down', 'The service is stopping.');
      const found = await health.getHealth();
      return reply(found.status === 'down' ? 503 : 200, presentHealth(found));
    },
  });
}

function metricsRoute({ metrics }: SystemRouteDeps): Route {
  return defineRoute({
    method: 'get',
    path: '/metrics',
    operationId: 'getMetrics',
    access: 'admin',
    isMomentary: true,
    tag: 'System',
    summary: 'Read the metrics of this process',
    cost: 0,
    description:
      'The same as at `/metrics`, where Prometheus looks. For the owner of the service alone, since they are about all tenants.',
    params: nothing,
    query: nothing,
    body: noBody,
    replies: {
      200: {
        description: "The metrics in Prometheus' text format.",
        schema: metricsSchema,
        mediaType: METRICS_CONTENT_TYPE,
        example: metricsExample,
      },
    },
    errors: ['forbidden'],
    handler: async ({ tenantId }) => {
      if (tenantId !== DEFAULT_TENANT_ID) throw new AppError('forbidden', 'Metrics are for the owner of the service alone.');
      return reply(200, await metrics.scrape());
    },
  });
}
