import { pino } from 'pino';
import type { ServerDeps } from '../../src/api/server.ts';
import type { Principal } from '../../src/domain/access.ts';
import { chains } from '../../src/domain/chains.ts';
import type { Refresh } from '../../src/domain/refresh.ts';
import { OPEN_PRINCIPAL } from '../../src/domain/tenant.ts';
import type { Wallet } from '../../src/domain/wallet.ts';
import { createMetrics } from '../../src/lib/metrics.ts';
import { createTracer } from '../../src/lib/tracing.ts';
import type { AssetView } from '../../src/services/asset-service.ts';
import type { Health } from '../../src/services/health-service.ts';
import { buildAsset, buildPrice, buildSettings, NOW } from './builders.ts';

export const WALLET_ID = '0198b000-0000-7000-8000-000000000001';
export const REFRESH_ID = '0198c000-0000-7000-8000-000000000001';

export function buildWallet(overrides: Partial<Wallet> = {}): Wallet {
  return {
    id: WALLET_ID,
    family: 'evm',
    address: '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045',
    name: null,
    label: null,
    chains: ['ethereum'],
    createdAt: NOW,
    updatedAt: NOW,
    version: 1,
    ...overrides,
  };
}

export function buildRefresh(overrides: Partial<Refresh> = {}): Refresh {
  return {
    id: REFRESH_ID,
    status: 'finished',
    scope: { walletIds: null, chains: null },
    startedAt: NOW,
    finishedAt: NOW,
    sources: [{ walletId: WALLET_ID, chain: 'ethereum', kind: 'balances', status: 'ok', error: null }],
    ...overrides,
  };
}

export function buildAssetView(overrides: Partial<AssetView> = {}): AssetView {
  return {
    asset: buildAsset(),
    settings: buildSettings(),
    price: buildPrice(),
    spam: { isSpam: false, reasons: [], decidedBy: 'rules' },
    ...overrides,
  };
}

export function buildHealth(overrides: Partial<Health> = {}): Health {
  return {
    status: 'ok',
    version: '0.1.0',
    startedAt: NOW,
    parts: [{ name: 'database', status: 'ok', checkedAt: NOW, error: null, block: null, inUse: true }],
    ...overrides,
  };
}

type Services = ServerDeps['services'];
export type ServiceStubs = { [Name in keyof Services]?: Partial<Services[Name]> };

/** Services of which only the given methods work; a call to any other fails the request with a 500. */
function stubServices(stubs: ServiceStubs): Services {
  const unexpected = (name: string) => async (): Promise<never> => {
    throw new Error(`${name} was not expected to be called`);
  };
  const fill = <Name extends keyof Services>(name: Name, methods: readonly string[]): Services[Name] =>
    ({
      ...Object.fromEntries(methods.map((method) => [method, unexpected(`${name}.${method}`)])),
      ...stubs[name],
    }) as unknown as Services[Name];
  return {
    wallets: fill('wallets', ['add', 'addMany', 'list', 'get', 'setLabel', 'delete']),
    assets: fill('assets', ['add', 'list', 'get', 'update', 'acceptPrice', 'untrack']),
    refreshes: fill('refreshes', ['refresh', 'get', 'stop']),
    backfills: fill('backfills', ['start', 'get', 'cancel', 'resume', 'stop']),
    portfolio: fill('portfolio', ['getPortfolio', 'getWalletBalances', 'findHeldBack']),
    changes: fill('changes', ['explain']),
    statements: fill('statements', ['getStatement']),
    performance: fill('performance', ['getPerformance']),
    history: fill('history', ['getHistory']),
    alerts: fill('alerts', ['add', 'list', 'get', 'update', 'delete']),
    webhooks: fill('webhooks', ['add', 'list', 'get', 'update', 'rotate', 'delete', 'listDeliveries', 'replay', 'test']),
    transactions: fill('transactions', ['list', 'get', 'add', 'update', 'delete', 'importCsv']),
    answers: {
      read: async ({ render }) => ({ ...(await render()), outcome: 'miss', ageMs: 0, ttlMs: 0, detail: null }),
      noteWrite: () => undefined,
      ...stubs.answers,
    },
    idempotency: {
      run: async (_tenantId, _write, work) => ({ status: 'done', value: (await work()).value }),
      ...stubs.idempotency,
    },
    quotas: { get: () => ({ wallets: null, requestsPerMinute: 600, refreshesPerHour: null }), ...stubs.quotas },
    keys: fill('keys', ['authenticate', 'create', 'createFirst', 'list', 'get', 'rotate', 'revoke']),
    live: fill('live', ['open']),
    rpcEndpoints: fill('rpcEndpoints', ['list', 'add', 'remove', 'start', 'stop']),
    health: fill('health', ['getHealth']),
  };
}

const tracer = await createTracer({ otlpEndpoint: null, serviceName: 'test', version: '0.1.0', log: pino({ level: 'silent' }) });

/** What `createServer` takes, around stubbed services, at the moment of the builders and without a log. */
export function buildServerDeps(stubs: ServiceStubs = {}, overrides: Partial<ServerDeps> = {}): ServerDeps {
  return {
    services: stubServices(stubs),
    readiness: {
      isAlive: () => true,
      isStarted: () => true,
      getReadiness: () => ({ status: 'ready', isDraining: false, isDatabaseUp: true, parts: [] }),
    },
    metrics: createMetrics({ version: '0.1.0' }),
    chains,
    endpointNames: () => new Map([['ethereum', ['rpc.example']]]),
    endpointStates: () => new Map(),
    isLoopback: true,
    rateLimiter: null,
    trustedProxies: [],
    corsOrigins: [],
    cursorSecret: Buffer.alloc(32, 7),
    authenticate: async () => ownerOf('tenant'),
    log: pino({ level: 'silent' }),
    tracer,
    version: '0.1.0',
    now: () => NOW,
    stopSignal: new AbortController().signal,
    ...overrides,
  };
}

/** Someone who may do everything with what a tenant has. */
export function ownerOf(tenantId: string): Principal {
  return { ...OPEN_PRINCIPAL, tenantId };
}
