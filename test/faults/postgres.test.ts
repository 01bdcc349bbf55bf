import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import type { Body } from '../support/test-stack.ts';

let postgres: PostgresCluster;
let service: ServiceProcess;
beforeAll(async () => {
  postgres = await startPostgresCluster();
  service = await startServiceProcess({ environment: environmentOf(postgres.url) });
});
afterAll(async () => {
  await service.kill();
  await postgres.close();
});
beforeEach(() => becomesReady(service, 60_000));

function environmentOf(databaseUrl: string): Readonly<Record<string, string>> {
  return isolatedEnvironment({ DATABASE_URL: databaseUrl, RATE_LIMIT_PER_MINUTE: '0' });
}

type Answer = { readonly status: number; readonly headers: Headers; readonly body: Body; readonly ms: number };

async function call(method: 'GET' | 'POST', path: string, payload?: object, { url } = service): Promise<Answer> {
  const startedAt = performance.now();
  const sent = payload === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(payload) };
  const answer = await fetch(url + path, { method, ...sent });
  const body = await answer.json();
  return { status: answer.status, headers: answer.headers, body, ms: performance.now() - startedAt };
}

/** How long it takes from now until requests are welcome. */
async function becomesReady(target: ServiceProcess, timeout: number): Promise<number> {
  const startedAt = performance.now();
  const status = async (): Promise<number> => (await call('GET', '/health/ready', undefined, target)).status;
  await expect.poll(status, { timeout, interval: 50 }).toBe(200);
  return performance.now() - startedAt;
}

let added = 0;
/** Of digits only, so that it has one spelling. */
function nextAddress(): string {
  added += 1;
  return `0x${String(added).padStart(40, '0')}`;
}

async function storedAddresses(): Promise<readonly string[]> {
  return (await postgres.query('select address from wallets')).map(({ address }) => String(address));
}

describe('fault 28: Postgres frozen', { timeout: 120_000 }, () => {
  it('fault 28: what is cached is served, the rest is a 503 in bounded time, liveness stays, and all is well 5 s after it thaws', async () => {
    await call('POST', '/api/v1/wallets', { address: nextAddress() });
    const before = await call('GET', '/api/v1/portfolio');
    expect(before.status).toBe(200);
    await postgres.freeze();
    onTestFinished(() => postgres.thaw());
    const refused = Promise.all([
      call('POST', '/api/v1/wallets', { address: nextAddress() }),
      call('GET', '/api/v1/wallets?limit=7'),
      call('POST', '/api/v1/portfolio/refresh', {}),
    ]);
    await expect.poll(async () => (await call('GET', '/health/ready')).status, { timeout: 30_000 }).toBe(503);
    for (let round = 0; round < 20; round += 1) {
      expect(await call('GET', '/health/live')).toMatchObject({ status: 200 });
      expect(await call('GET', '/api/v1/portfolio')).toMatchObject({ status: 200, body: before.body });
    }
    for (const answer of await refused) {
      expect(answer).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(answer.ms).toBeLessThan(30_000);
    }
    // Past its time to live the cached answer is told with its age.
    const late = await call('GET', '/api/v1/portfolio');
    expect(late).toMatchObject({ status: 200, body: before.body });
    expect(Number(late.headers.get('age'))).toBeGreaterThan(0);
    postgres.thaw();
    expect(await becomesReady(service, 60_000)).toBeLessThan(5_000);
    expect((await call('POST', '/api/v1/wallets', { address: nextAddress() })).status).toBe(201);
  });
});

describe('fault 29: Postgres restarted in the middle of transactions', { timeout: 180_000 }, () => {
  it.each(['kill', 'stopFast'] as const)(
    'fault 29: after %s no row is partial, no accepted one lost, and the process lives',
    async (end) => {
      for (let round = 0; round < 3; round += 1) {
        const accepted: string[][] = [];
        const refused: string[][] = [];
        let isOver = false;
        const write = async (): Promise<void> => {
          while (!isOver) {
            const addresses = Array.from({ length: 40 }, nextAddress);
            const { status } = await call('POST', '/api/v1/wallets/bulk', { wallets: addresses.map((address) => ({ address })) });
            (status < 300 ? accepted : refused).push(addresses);
          }
        };
        const writers = Array.from({ length: 4 }, write);
        await expect.poll(() => accepted.length, { timeout: 30_000, interval: 1 }).toBeGreaterThan(round + 4);
        await postgres[end]();
        await postgres.start();
        expect(await becomesReady(service, 60_000)).toBeLessThan(5_000);
        const before = accepted.length;
        await expect.poll(() => accepted.length, { timeout: 30_000 }).toBeGreaterThan(before);
        isOver = true;
        await Promise.all(writers);
        const stored = new Set(await storedAddresses());
        for (const addresses of accepted) expect(addresses.every((address) => stored.has(address))).toBe(true);
        for (const addresses of refused) expect(new Set(addresses.map((address) => stored.has(address))).size).toBe(1);
      }
      expect(service.log().filter(({ level }) => level === 'fatal')).toEqual([]);
    },
  );
});

describe('fault 30: the connection is lost at COMMIT', { timeout: 60_000 }, () => {
  it.each([
    ['after', true],
    ['before', false],
  ] as const)('fault 30: %s Postgres got it, the client is told to try again, and that writes once', async (_, isDelivered) => {
    const proxy = await startTcpProxy(postgres.url);
    const behind = await startServiceProcess({ environment: { ...environmentOf(proxy.url), EMBEDDED_WORKER: 'false' } });
    onTestFinished(async () => {
      await behind.kill();
      await proxy.close();
    });
    await becomesReady(behind, 60_000);
    const address = nextAddress();
    const cut = proxy.cutAt('commit', { after: 'insert into wallets', isDelivered });
    const first = await call('POST', '/api/v1/wallets', { address, label: 'mine' }, behind);
    await cut;
    expect(first).toMatchObject({ status: 503, body: { code: 'database_unavailable' } });
    expect(await storedAddresses()).toSatisfy((all: string[]) => all.includes(address) === isDelivered);
    const second = await call('POST', '/api/v1/wallets', { address, label: 'mine' }, behind);
    expect(second).toMatchObject({ status: isDelivered ? 200 : 201, body: { address, label: 'mine' } });
    expect((await storedAddresses()).filter((stored) => stored === address)).toHaveLength(1);
  });
});
