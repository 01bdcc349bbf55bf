import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { newWallet } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

let database: TestDatabase;
let service: ServiceProcess;
let environment: Readonly<Record<string, string>>;
const keys: Record<string, string> = {};

beforeAll(async () => {
  database = await createTestDatabase();
  environment = isolatedEnvironment({ DATABASE_URL: database.url, API_KEYS_REQUIRED: 'true', LOG_LEVEL: 'info' });
  service = await startServiceProcess({ environment });
  for (const name of ['small', 'large']) {
    await tenants('create', name);
    keys[name] = await makeKey(name);
  }
}, 120_000);
afterAll(async () => {
  await service.stop();
  await database.close();
});

async function tenants(...args: readonly string[]): Promise<string> {
  const { code, output } = await runScript('tenants', { environment, args });
  if (code !== 0) throw new Error(output);
  return output;
}

async function makeKey(tenant: string): Promise<string> {
  const args = ['create', '--tenant', tenant, '--name', 'test', '--scopes', 'admin'];
  const { output } = await runScript('keys', { environment, args });
  return /cpf_\w+/.exec(output)?.[0] ?? '';
}

function ask(tenant: string, path: string, body?: object): Promise<Response> {
  const headers = { Authorization: `Bearer ${keys[tenant]}`, 'Content-Type': 'application/json' };
  const sent = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  return fetch(`${service.url}/api/v1${path}`, { headers, ...sent });
}

const add = (tenant: string) => ask(tenant, '/wallets', { address: newWallet().address });

describe('a tenant with quotas of its own', () => {
  it('is told of them by the command that sets them, and of the defaults', async () => {
    const output = await tenants('quota', 'small', '--wallets', '3', '--requests', '40', '--refreshes', '1');
    expect(output.split('\n').at(-1)).toMatch(/^3 +40 +1$/);
    expect((await tenants('quota', 'large')).split('\n').at(-1)).toMatch(/^10000 \(default\) +600 \(default\) +600 \(default\)$/);
    expect(await tenants('quota', 'large', '--wallets', 'many').catch(String)).toContain('A quota is a whole number');
    expect(await tenants('quota', 'nobody', '--wallets', '1').catch(String)).toContain('There is no tenant nobody');
  });

  it('follows no more wallets than it may, one by one and in bulk, while others go on', async () => {
    await expect
      .poll(async () => (await ask('small', '/chains')).headers.get('ratelimit-policy'), { timeout: 20_000, interval: 1_000 })
      .toBe('"default";q=40;w=60');
    expect((await add('small')).status).toBe(201);
    const wallets = Array.from({ length: 4 }, () => ({ address: newWallet().address }));
    const { results }: Body = await (await ask('small', '/wallets/bulk', { wallets })).json();
    expect(results.map(({ status }: { status: number }) => status)).toEqual([201, 201, 403, 403]);
    const refused = await add('small');
    expect(refused.status).toBe(403);
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' });
    expect((await add('large')).status).toBe(201);
  });

  it('starts no more refreshes than it may', async () => {
    expect((await ask('small', '/portfolio/refresh', {})).status).toBeLessThan(300);
    const { wallets }: Body = await (await ask('small', '/wallets')).json();
    const refused = await ask('small', '/portfolio/refresh', { wallet_ids: [wallets[0].id] });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3_000);
  });

  it('spends its own points, with all of its keys, and others keep theirs', async () => {
    const first = keys.small ?? '';
    keys.small = await makeKey('small');
    await expect
      .poll(async () => (await ask('small', '/chains')).headers.get('ratelimit'), { interval: 0, timeout: 60_000 })
      .toMatch(
        // With time left until the next window.
        /r=0;t=[1-6]\d$/,
      );
    keys.small = first;
    expect((await ask('small', '/chains')).status).toBe(429);
    expect((await ask('large', '/chains')).status).toBe(200);
  });
});
