import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createRoutes, createServer } from '../../src/api/server.ts';
import { chains } from '../../src/domain/chains.ts';
import { createMetrics, type Metrics } from '../../src/lib/metrics.ts';
import { request } from '../support/request.ts';
import { buildServerDeps } from '../support/stub-services.ts';

const METHODS = ['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'trace', 'propfind', 'purge', 'm-search'] as const;
const STATUSES = [200, 304, 404, 405, 429, 500, 503, null];

async function countSeries(metrics: Pick<Metrics, 'scrape'>): Promise<number> {
  return (await metrics.scrape()).split('\n').filter((line) => line !== '' && !line.startsWith('#')).length;
}

it('makes no more series for a client that tries every path, method and query it can think of', async () => {
  const deps = buildServerDeps();
  const app = createServer(deps);
  const paths = createRoutes(deps).map(({ path }) => `/api/v1${path.replace('{id}', '0198b000-0000-7000-8000-000000000001')}`);
  const segment = fc.oneof(fc.webSegment(), fc.string(), fc.constantFrom('..', '%00', 'api', 'v1', 'wallets', '{id}', '"'));
  const path = fc.oneof(
    fc.constantFrom(...paths),
    fc.array(segment, { minLength: 1, maxLength: 5 }).map((parts) => `/${parts.map(encodeURI).join('/')}`),
    fc
      .array(segment, { minLength: 1, maxLength: 2 })
      .map((parts) => `/api/v1/wallets/${parts.map(encodeURIComponent).join('/')}`),
  );
  const asked = fc.record({ path, method: fc.constantFrom(...METHODS), query: fc.webQueryParameters() });
  await fc.assert(
    fc.asyncProperty(asked, async ({ path: target, method, query }) => {
      await request(app)
        [method](`${target}?${query}`)
        .set('host', 'localhost')
        .ok(() => true);
    }),
    { numRuns: 600 },
  );
  expect(await countSeries(deps.metrics)).toBeLessThan(2_000);
  const routes = new Set((await deps.metrics.scrape()).match(/(?<=route=")[^"]*/g));
  const served = new Set([...createRoutes(deps).map((route) => `/api/v1${route.path}`), '/api/v1/openapi.json', '/', 'unknown']);
  expect([...routes].filter((route) => !served.has(route) && !route.startsWith('/docs'))).toEqual([]);
}, 120_000);

it('stays under 5,000 series when every route has answered in every way and every endpoint has failed in several', async () => {
  const metrics = createMetrics({ version: '1' });
  const end = (method: string, route: string | null, status: number | null): void =>
    metrics.onRequestEnd({ method, route, status, seconds: 1 });
  for (const { method, path } of createRoutes(buildServerDeps())) {
    for (const status of STATUSES) end(method.toUpperCase(), path, status);
    // Any other method is refused.
    for (const other of METHODS) end(other.toUpperCase(), path, 405);
  }
  for (const route of ['/', '/docs', '/docs/errors', '/docs/start.js']) for (const status of STATUSES) end('GET', route, status);
  for (const method of METHODS) for (const status of STATUSES) end(method.toUpperCase(), null, status);
  for (const { slug, defaultRpcUrls } of chains) {
    const names = defaultRpcUrls.map((url) => new URL(url).host);
    const status = {
      state: 'alive',
      breaker: 'closed',
      lagBlocks: 0n,
      rateLimitRps: 1,
      budget: { usedToday: 0 },
      isInUse: true,
    } as const;
    metrics.setEndpoints(
      slug,
      names.map((name) => ({ name, ...status })),
    );
    for (const endpoint of names) {
      for (const method of ['eth_call', 'eth_getBlockByNumber', 'eth_chainId', 'batch']) {
        for (const outcome of ['ok', 'upstream_timeout', 'upstream_rate_limited', 'upstream_unreachable'] as const) {
          metrics.onRpc({ chain: slug, endpoint, method, outcome, seconds: 1 });
        }
      }
    }
  }
  expect(await countSeries(metrics)).toBeLessThan(5_000);
});
