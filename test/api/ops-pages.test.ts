import { Writable } from 'node:stream';
import express from 'express';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createOpsServer } from '../../src/api/ops-server.ts';
import { createServer } from '../../src/api/server.ts';
import { createLogger } from '../../src/lib/logger.ts';
import type { Readiness } from '../../src/services/readiness-service.ts';
import { request } from '../support/request.ts';
import { buildServerDeps } from '../support/stub-services.ts';

function readinessOf(overrides: Partial<Readiness> = {}) {
  return {
    isAlive: () => true,
    isStarted: () => true,
    getReadiness: (): Readiness => ({ status: 'ready', isDraining: false, isDatabaseUp: true, parts: [], ...overrides }),
  };
}

function startApp(readiness = readinessOf()) {
  return createServer(buildServerDeps({}, { readiness }));
}

describe.each([
  ['the API', startApp],
  ['a worker', (readiness = readinessOf()) => createOpsServer(buildServerDeps({}, { readiness }))],
])('%s', (_, create) => {
  it('is alive until it is given up', async () => {
    const alive = await request(create()).get('/health/live');
    expect([alive.status, alive.body]).toEqual([200, { status: 'alive' }]);
    const failed = await request(create({ ...readinessOf(), isAlive: () => false })).get('/health/live');
    expect([failed.status, failed.body]).toEqual([503, { status: 'failed' }]);
  });

  it('has started once it has looked around', async () => {
    const starting = await request(create({ ...readinessOf(), isStarted: () => false })).get('/health/startup');
    expect([starting.status, starting.body]).toEqual([503, { status: 'starting' }]);
    expect((await request(create()).get('/health/startup')).status).toBe(200);
  });

  it.each([
    ['ready', 200],
    ['degraded', 200],
    ['unready', 503],
  ] as const)('answers a probe with %s as %i, naming the parts', async (status, code) => {
    const parts = [{ name: 'chain:ethereum', status: 'down' }] as const;
    const answer = await request(create(readinessOf({ status, parts, isDraining: true }))).get('/health/ready?from=probe');
    expect(answer.status).toBe(code);
    expect(answer.body).toEqual({ status, draining: true, parts: { 'chain:ethereum': 'down' } });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['x-request-id']).toBeDefined();
  });

  it('shows its metrics in the format that Prometheus reads', async () => {
    const answer = await request(create()).get('/metrics');
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(answer.text).toMatch(/^build_info\{version="0\.1\.0",node="24[.\d]+"\} 1$/m);
  });

  it('answers HEAD without a body, and other methods, paths and names with a problem', async () => {
    const head = await request(create()).head('/health/live');
    expect([head.status, head.text]).toEqual([200, undefined]);
    const problems = [
      await request(create()).post('/health/live'),
      await request(create()).get('/health/Live'),
      await request(create()).get('/metrics').set('host', 'rebound.example'),
    ];
    expect(problems.map((problem) => problem.body.code)).toEqual(['route_not_found', 'route_not_found', 'invalid_request']);
  });
});

it('makes the metrics once for all who ask at the same moment, since nobody needs a key for them', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const deps = buildServerDeps({});
  const scrape = vi.spyOn(deps.metrics, 'scrape');
  for (const app of [createServer(deps), createOpsServer(deps)]) {
    scrape.mockClear();
    for (let i = 0; i < 3; i++)
      await request(app)
        .get('/metrics')
        .expect(200, /^build_info/m);
    expect(scrape).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(250);
    await request(app).get('/metrics').expect(200);
    expect(scrape).toHaveBeenCalledTimes(2);
  }
});

it('writes no line for a probe and counts none', async () => {
  const lines: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  const deps = buildServerDeps({}, { log: createLogger({ level: 'info', secrets: [], destination }) });
  const app = createServer(deps);
  for (const path of ['/health/live', '/health/ready', '/health/startup', '/metrics']) await request(app).get(path).expect(200);
  expect(lines).toEqual([]);
  await request(app).get('/api/v1/chains').expect(200);
  expect(lines).toHaveLength(1);
  const text = await deps.metrics.scrape();
  expect(text.match(/^http_requests_total.*$/gm)).toEqual([
    'http_requests_total{method="GET",route="/api/v1/chains",status_class="2xx"} 1',
  ]);
});

it('metrics are not there for the public internet', async () => {
  const app = express();
  app.use((incoming, _response, next) => {
    Object.defineProperty(incoming.socket, 'remoteAddress', { value: '198.41.0.4', configurable: true });
    next();
  });
  app.use(createServer(buildServerDeps()));
  const { status, body } = await request(app).get('/metrics');
  expect([status, body.code]).toEqual([404, 'route_not_found']);
  expect((await request(app).get('/health/live')).status).toBe(200);
});
