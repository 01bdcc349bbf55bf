import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { startLoad } from '../support/load-client.ts';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

async function start(overrides: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const environment = isolatedEnvironment({ DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0', ...overrides });
  const service = await startServiceProcess({ environment });
  onTestFinished(async () => void (await service.kill()));
  return service;
}

let wallets = 0;
/** An address that no other call gets. */
function nextAddress(): string {
  wallets += 1;
  return `0x${String(wallets).padStart(40, '0')}`;
}

/** Reads, and a write in ten. */
function mixedRequest(): { method?: string; path: string; body?: string } {
  if (Math.random() > 0.1) return { path: '/api/v1/portfolio' };
  return { method: 'POST', path: '/api/v1/wallets', body: JSON.stringify({ address: nextAddress() }) };
}

describe('fault 36: SIGTERM under load', () => {
  it.each(['0', '1'])(
    'fault 36: cuts no request of busy clients without a proxy, drained for %s s',
    async (drainSeconds) => {
      const service = await start({ DRAIN_DELAY_SECONDS: drainSeconds });
      const load = startLoad({ urls: [service.url], clients: 32, next: mixedRequest });
      await load.untilAnswered(300);
      service.signal('SIGTERM');
      expect(await service.ended).toEqual({ code: 0, signal: null });
      await load.stop();
      expect(load.counts.failures).toEqual([]);
      expect(load.counts.answered).toBeGreaterThan(300);
    },
    60_000,
  );

  it('fault 36: a rolling restart of two processes fails no request', async () => {
    const [first, second] = await Promise.all([start(), start()]);
    const load = startLoad({ urls: [first.url, second.url], clients: 16, next: mixedRequest });
    await load.untilAnswered(100);
    expect(await first.stop()).toMatchObject({ code: 0 });
    const before = load.counts.answered;
    await load.untilAnswered(before + 100);
    await startAgain(first);
    expect(await second.stop()).toMatchObject({ code: 0 });
    await load.untilAnswered(load.counts.answered + 100);
    await load.stop();
    expect(load.counts.failures).toEqual([]);
  }, 90_000);

  /** A process at the address of one that ended. */
  function startAgain({ url }: ServiceProcess): Promise<ServiceProcess> {
    return start({ PORT: new URL(url).port });
  }
});

describe('fault 39: starts at the same moment', () => {
  it('fault 39: two migrators and five processes end with one schema, and all serve', async () => {
    const fresh = await createTestDatabase();
    onTestFinished(() => fresh.close());
    const environment = isolatedEnvironment({ DATABASE_URL: fresh.url });
    const migrations = await Promise.all([runScript('migrate', { environment }), runScript('migrate', { environment })]);
    expect(migrations.map(({ code }) => code)).toEqual([0, 0]);
    const services = await Promise.all(Array.from({ length: 5 }, () => start({ DATABASE_URL: fresh.url })));
    const statuses = await Promise.all(services.map(async ({ url }) => (await fetch(`${url}/api/v1/portfolio`)).status));
    expect(statuses).toEqual([200, 200, 200, 200, 200]);
    const errors = services.flatMap((service) => service.log()).filter(({ level }) => level === 'error' || level === 'fatal');
    expect(errors).toEqual([]);
    expect((await Promise.all(services.map((service) => service.stop()))).map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
  }, 90_000);
});
