import express, { type Express, type Request, Router } from 'express';
import type { Logger } from 'pino';
import type { Principal } from '../domain/access.ts';
import type { Chain } from '../domain/chain.ts';
import { AppError } from '../domain/errors.ts';
import type { EndpointStatus } from '../lib/json-rpc/pool/endpoint-status.ts';
import type { Metrics } from '../lib/metrics.ts';
import type { RateLimiter } from '../lib/rate-limiter.ts';
import type { Tracer } from '../lib/tracing.ts';
import { createTurns } from '../lib/turns.ts';
import type { KeyService } from '../services/access/key-service.ts';
import type { QuotaService } from '../services/access/quota-service.ts';
import type { AlertService } from '../services/alerts/alert-service.ts';
import type { AnswerService } from '../services/answer-service.ts';
import type { AssetService } from '../services/asset-service.ts';
import type { LiveService } from '../services/events/live-service.ts';
import type { HealthService } from '../services/health-service.ts';
import type { ChangesService } from '../services/history/changes-service.ts';
import type { HistoryService } from '../services/history/history-service.ts';
import type { StatementService } from '../services/history/statement-service.ts';
import type { TransactionService } from '../services/ledger/transaction-service.ts';
import type { BackfillService } from '../services/past/backfill-service.ts';
import type { PerformanceService } from '../services/performance/performance-service.ts';
import type { PortfolioService } from '../services/portfolio-service.ts';
import type { RefreshService } from '../services/refresh-service.ts';
import type { IdempotencyService } from '../services/requests/idempotency-service.ts';
import type { RpcEndpointService } from '../services/rpc-endpoint-service.ts';
import type { WalletService } from '../services/wallet-service.ts';
import type { WebhookService } from '../services/webhooks/webhook-service.ts';
import { createDocsRouter } from './docs.ts';
import { admit } from './middleware/admit.ts';
import { createClientAddress } from './middleware/client-address.ts';
import { createCors } from './middleware/cors.ts';
import { csvBody } from './middleware/csv-body.ts';
import { createErrorHandler, refuseUnknownRoute } from './middleware/error-handler.ts';
import { createForeignPageGuard } from './middleware/foreign-pages.ts';
import { jsonBody } from './middleware/json-body.ts';
import { requireLoopbackHost } from './middleware/loopback-host.ts';
import { createOpsPages, type OpsDeps } from './middleware/ops-pages.ts';
import { createCharge } from './middleware/rate-limit.ts';
import { requestContext } from './middleware/request-context.ts';
import { createRequestLog, noteRoute } from './middleware/request-log.ts';
import { createRequestMetrics } from './middleware/request-metrics.ts';
import { createRequestTrace } from './middleware/request-trace.ts';
import { API_PREFIX, createOpenApi, type OpenApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { createAlertRoutes } from './routes/alerts.ts';
import { createAssetRoutes } from './routes/assets.ts';
import { createBackfillRoutes } from './routes/backfills.ts';
import { createChangesRoutes } from './routes/changes.ts';
import { createDeliveryRoutes } from './routes/deliveries.ts';
import { createEventRoutes } from './routes/events.ts';
import { createHistoryRoutes } from './routes/history.ts';
import { createKeyRoutes } from './routes/keys.ts';
import { createPerformanceRoutes } from './routes/performance.ts';
import { createPortfolioRoutes } from './routes/portfolio.ts';
import { createProviderRoutes } from './routes/providers.ts';
import { createRefreshRoutes } from './routes/refreshes.ts';
import { createRpcEndpointRoutes } from './routes/rpc-endpoints.ts';
import { createStatementRoutes } from './routes/statements.ts';
import { createSystemRoutes } from './routes/system.ts';
import { createTransactionRoutes } from './routes/transactions.ts';
import { createWalletRoutes } from './routes/wallets.ts';
import { createWebhookRoutes } from './routes/webhooks.ts';
import { sendJson } from './send-json.ts';
import { serveRoute } from './serve-route.ts';

export type ServerDeps = {
  readonly services: {
    readonly wallets: WalletService;
    readonly assets: AssetService;
    readonly refreshes: RefreshService;
    readonly backfills: BackfillService;
    readonly portfolio: PortfolioService;
    readonly history: HistoryService;
    readonly changes: ChangesService;
    readonly statements: StatementService;
    readonly performance: PerformanceService;
    readonly transactions: TransactionService;
    readonly live: Pick<LiveService, 'open'>;
    readonly answers: AnswerService;
    readonly quotas: QuotaService;
    readonly keys: KeyService;
    readonly webhooks: WebhookService;
    readonly alerts: AlertService;
    readonly idempotency: Pick<IdempotencyService, 'run'>;
    readonly rpcEndpoints: RpcEndpointService;
    readonly health: Pick<HealthService, 'getHealth'>;
  };
  readonly readiness: OpsDeps['readiness'];
  readonly metrics: Pick<Metrics, 'scrape' | 'onRequestStart' | 'onRequestEnd' | 'onPartialAnswer' | 'onStreamEnd'>;
  readonly chains: readonly Chain[];
  /** Names of the endpoints of each chain by its slug, fit to be shown. */
  readonly endpointNames: () => ReadonlyMap<string, readonly string[]>;
  /** How the endpoints are, by chain slug. */
  readonly endpointStates: () => ReadonlyMap<string, readonly EndpointStatus[]>;
  /** Whether the service listens for this machine alone: then it answers under loopback names only. */
  readonly isLoopback: boolean;
  /** null: requests are not limited. */
  readonly rateLimiter: RateLimiter | null;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Pages that may call the API from a browser; `*` for all. */
  readonly corsOrigins: readonly string[];
  /** On whose behalf a request comes. Throws unauthorized for one that comes on nobody's. */
  readonly authenticate: (request: Request) => Promise<Principal>;
  /** What cursors are signed with: the same in all instances. */
  readonly cursorSecret: Buffer;
  readonly log: Logger;
  readonly tracer: Pick<Tracer, 'serve'>;
  readonly version: string;
  readonly now: () => Date;
  /** Fires when the service begins to stop: waiting requests are then answered with what there is. */
  readonly stopSignal: AbortSignal;
};

/** The operations below `/api/v1`. */
export function createRoutes(deps: ServerDeps): readonly Route[] {
  const { services, chains, endpointNames, endpointStates, metrics, now, stopSignal } = deps;
  const bySlug = new Map(chains.map((chain) => [chain.slug, chain]));
  return [
    ...createWalletRoutes(services.wallets),
    ...createRefreshRoutes(services.refreshes),
    ...createBackfillRoutes(services.backfills),
    ...createPortfolioRoutes({ portfolio: services.portfolio, chains: bySlug, now, onPartialAnswer: metrics.onPartialAnswer }),
    ...createHistoryRoutes({ history: services.history, chains: bySlug }),
    ...createChangesRoutes({ changes: services.changes, chains: bySlug }),
    ...createStatementRoutes({ statements: services.statements, chains: bySlug }),
    ...createPerformanceRoutes({ performance: services.performance, chains: bySlug }),
    ...createTransactionRoutes({ transactions: services.transactions, chains: bySlug }),
    ...createAssetRoutes({ assets: services.assets, chains: bySlug }),
    ...createAlertRoutes({ alerts: services.alerts, chains: bySlug }),
    ...createWebhookRoutes(services.webhooks),
    ...createDeliveryRoutes(services.webhooks),
    ...createKeyRoutes({ keys: services.keys, now }),
    ...createEventRoutes(services.live),
    ...createRpcEndpointRoutes(services.rpcEndpoints),
    ...createProviderRoutes({ endpointStates }),
    ...createSystemRoutes({ health: services.health, metrics, chains, endpointNames, stopSignal }),
  ];
}

/** The whole HTTP face as an Express app, which does not listen yet. */
export function createServer(deps: ServerDeps): Express {
  const app = express();
  app.disable('x-powered-by');
  // Tags are made and queries parsed here, strictly.
  app.disable('etag');
  app.set('query parser', false);
  app.enable('case sensitive routing');
  app.use(createOpsPages(deps), createRequestTrace(deps.tracer), createRequestMetrics(deps.metrics));
  app.use(createRequestLog(deps.log), requestContext);
  if (deps.isLoopback) app.use(requireLoopbackHost);
  if (deps.corsOrigins.length > 0) app.use(createCors(deps.corsOrigins));
  app.use(createForeignPageGuard(deps.corsOrigins));
  app.use(API_PREFIX, createApiRouter(deps));
  app.use(createDocsRouter());
  app.use(refuseUnknownRoute);
  app.use(createErrorHandler(deps.log));
  return app;
}

/**
 * Requests that are worked on at once: enough to keep one core and the database busy. What does not fit waits, and what would wait for long is refused
 * while its client is still there.
 */
const TURNS = { maxRunning: 8, maxRunningEach: 4, maxWaiting: 1_000, maxWaitingEach: 100, maxWaitMs: 20_000 };

function createApiRouter(deps: ServerDeps): Router {
  const routes = createRoutes(deps);
  const clientOf = createClientAddress(deps.trustedProxies);
  const charge = createCharge({ limiter: deps.rateLimiter, clientOf, quotas: deps.services.quotas });
  const turns = createTurns(TURNS);
  const serving = { ...deps, turns, answers: deps.services.answers, idempotency: deps.services.idempotency, charge };
  const router = Router({ caseSensitive: true, strict: true });
  let document: OpenApiDocument | undefined;
  router.get('/openapi.json', async (request, response) => {
    noteRoute(response, `${API_PREFIX}/openapi.json`);
    await charge({ request, response }, 1);
    document ??= createOpenApi(routes, { version: deps.version });
    sendJson(request, response, { status: 200, body: document });
  });
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    const place = router.route(path.replaceAll(/\{(\w+)\}/g, ':$1'));
    for (const route of group) {
      const readBody = route.body.presence === 'none' ? [] : route.body.mediaType === 'text/csv' ? csvBody() : jsonBody();
      place[route.method](admit(route, { ...deps, charge }), ...readBody, (request, response) =>
        serveRoute(serving, route, { request, response }),
      );
    }
    place.all(async (request, response) => {
      noteRoute(response, API_PREFIX + path);
      await charge({ request, response }, 1);
      const methods = group.map((route) => route.method.toUpperCase());
      response.setHeader('Allow', [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', '));
      throw new AppError('method_not_allowed', `It takes ${methods.join(', ')}.`);
    });
  }
  router.use(async (request, response) => {
    await charge({ request, response }, 1);
    refuseUnknownRoute();
  });
  return router;
}
