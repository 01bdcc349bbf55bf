import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const PLANTED_FAULTS = fileURLToPath(new URL('../support/planted-faults.ts', import.meta.url));

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const environment = isolatedEnvironment({
    DATABASE_URL: database.url,
    EMBEDDED_WORKER: 'false',
    RATE_LIMIT_PER_MINUTE: '0',
    ...overrides,
  });
  const service = await startServiceProcess({ environment });
  onTestFinished(async () => void (await service.kill()));
  await untilStatus(service, 'ready', 200);
  return service;
}

function plant(fault: 'throw' | 'reject' | 'block', ms = 0): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import=${PLANTED_FAULTS}`, PLANTED_FAULT: fault, PLANTED_MS: String(ms) };
}

async function probe({ url }: ServiceProcess, name: string, timeoutMs = 5_000): Promise<Response> {
  return fetch(`${url}/health/${name}`, { signal: AbortSignal.timeout(timeoutMs) });
}

function untilStatus(service: ServiceProcess, name: string, status: number): Promise<void> {
  return expect.poll(async () => (await probe(service, name)).status, { timeout: 30_000, interval: 50 }).toBe(status);
}

async function readMetric({ url }: ServiceProcess, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

it('fault 28: a frozen database ends readiness, never liveness, and readiness is back with it', async () => {
  const proxy = await startTcpProxy(database.url);
  onTestFinished(() => proxy.close());
  const service = await start({ DATABASE_URL: proxy.url });
  await expect.poll(() => readMetric(service, 'database_up'), { timeout: 10_000 }).toBe(1);

  proxy.pause();
  await untilStatus(service, 'ready', 503);
  const frozen = await probe(service, 'ready');
  expect(await frozen.json()).toMatchObject({ status: 'unready', draining: false, parts: { database: 'down' } });
  expect((await probe(service, 'live')).status).toBe(200);
  expect(await readMetric(service, 'database_up')).toBe(0);
  expect(await readMetric(service, 'service_ready')).toBe(0);

  proxy.resume();
  proxy.cut();
  const thawedAt = performance.now();
  await untilStatus(service, 'ready', 200);
  // 5 s on a machine of its own.
  expect(performance.now() - thawedAt).toBeLessThan(15_000);
});

it('fault 36: a process that was told to stop says so to probes at once, and goes on serving until the drain is over', async () => {
  const service = await start({ DRAIN_DELAY_SECONDS: '3' });
  service.signal('SIGTERM');
  await service.untilLogged(/"msg":"stopping"/);
  const ready = await probe(service, 'ready');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({ status: 'unready', draining: true, parts: { database: 'ok' } });
  expect((await probe(service, 'live')).status).toBe(200);
  expect((await fetch(`${service.url}/api/v1/portfolio`)).status).toBe(200);
  expect(await service.ended).toEqual({ code: 0, signal: null });
});

it('fault 41: a blocked event loop fails liveness while it lasts, and the log and the metrics tell of it afterwards', async () => {
  const service = await start(plant('block', 6_000));
  service.signal('SIGUSR2');
  // The signal is on its way: the first probe may be answered still.
  await expect
    .poll(() => probe(service, 'live', 1_000).catch((error: Error) => error.name), { timeout: 5_000 })
    .toBe('TimeoutError');
  await service.untilLogged(/the event loop stood still/);
  expect((await probe(service, 'live')).status).toBe(200);
  const told = service.log().find(({ msg }) => String(msg).startsWith('the event loop stood still'));
  expect(told.ms).toBeGreaterThan(4_000);
  expect(await readMetric(service, 'nodejs_eventloop_lag_max_seconds')).toBeGreaterThan(4);
});

it.each(['throw', 'reject'] as const)(
  'fault 47: an error that reaches nobody (%s) ends the process with 1, after what is in flight',
  async (fault) => {
    const service = await start(plant(fault));
    const load = startLoad({ urls: [service.url], clients: 4, next: () => ({ path: '/api/v1/portfolio' }) });
    await load.untilAnswered(50);
    service.signal('SIGUSR2');
    expect(await service.ended).toEqual({ code: 1, signal: null });
    await load.stop();
    expect(load.counts.failures).toEqual([]);
    const fatal = service.log().filter(({ level }) => level === 'fatal');
    expect(fatal).toMatchObject([{ err: { message: 'planted' }, msg: 'an error reached nobody: ending the process' }]);
  },
);

it('answers probes quickly under load', async () => {
  const service = await start();
  const load = startLoad({ urls: [service.url], clients: 32, next: () => ({ path: '/api/v1/portfolio' }) });
  await load.untilAnswered(200);
  const times: number[] = [];
  for (let index = 0; index < 40; index += 1) {
    const startedAt = performance.now();
    for (const name of ['live', 'ready']) expect((await probe(service, name)).status).toBe(200);
    times.push((performance.now() - startedAt) / 2);
  }
  await load.stop();
  times.sort((a, b) => a - b);
  // 50 ms on a machine of its own; here the clients and other suites take its two cores away from it.
  expect(times[20]).toBeLessThan(250);
}, 60_000);
