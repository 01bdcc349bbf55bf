import { expect, it } from 'vitest';
import type { Principal } from '../../src/domain/access.ts';
import { AppError } from '../../src/domain/errors.ts';
import { buildHealth, buildRefresh, buildWallet, ownerOf, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const READ = `/wallets/${WALLET_ID}`;

const authenticate = async ({ headers }: { headers: Readonly<Record<string, unknown>> }): Promise<Principal> => ({
  ...ownerOf(String(headers['x-api-key'])),
  keyId: 'one',
});

/** An API whose wallets are read when the test says so. */
function createWorld() {
  const reading: { tenantId: string; end(): void }[] = [];
  const get = async (tenantId: string) => {
    await new Promise<void>((resolve) => reading.push({ tenantId, end: resolve }));
    return buildWallet();
  };
  const stubs = {
    wallets: { get },
    refreshes: { refresh: async () => buildRefresh() },
    health: { getHealth: async () => buildHealth() },
  };
  const api = createTestApi(stubs, { authenticate });
  return {
    reading,
    call: (tenant: string, method: 'GET' | 'POST' = 'GET', path = READ) =>
      api.call(method, path, { headers: { 'X-API-Key': tenant } }),
    async endAll(): Promise<void> {
      for (const { end } of reading.splice(0)) end();
    },
  };
}

it('a tenant that asks for much leaves room for others, and what it asks for beyond measure is refused at once', async () => {
  const { reading, call, endAll } = createWorld();
  const greedy = Array.from({ length: 110 }, () => call('greedy'));
  const refused = await Promise.race(greedy);
  expect(refused.status).toBe(429);
  expect(refused.headers['retry-after']).toBe('1');
  const modest = call('modest');
  await expect.poll(() => reading.filter(({ tenantId }) => tenantId === 'modest')).toHaveLength(1);
  expect(reading.filter(({ tenantId }) => tenantId === 'greedy')).toHaveLength(4);
  const ending = setInterval(endAll, 5);
  expect((await modest).status).toBe(200);
  const statuses = (await Promise.all(greedy)).map(({ status }) => status);
  clearInterval(ending);
  expect(statuses.filter((status) => status === 200)).toHaveLength(104);
  expect(statuses.filter((status) => status === 429)).toHaveLength(6);
}, 20_000);

it('what waits for chains and what must always answer go on while a tenant has all its turns taken', async () => {
  const { reading, call, endAll } = createWorld();
  const reads = Array.from({ length: 6 }, () => call('a'));
  await expect.poll(() => reading.length).toBe(4);
  expect((await call('a', 'POST', '/portfolio/refresh')).status).toBe(200);
  expect((await call('a', 'GET', '/health')).status).toBe(200);
  const ending = setInterval(endAll, 5);
  await Promise.all(reads);
  clearInterval(ending);
});

it('names of webhooks that nobody answers for hold no turn', async () => {
  const asked = Promise.withResolvers<void>();
  let asking = 0;
  const add = async (): Promise<never> => {
    asking += 1;
    await asked.promise;
    throw new AppError('outbound_refused', 'no');
  };
  const stubs = { webhooks: { add, update: add }, wallets: { get: async () => buildWallet() } };
  const api = createTestApi(stubs, { authenticate });
  const calls = ['a', 'b'].flatMap((tenant) => [
    ...Array.from({ length: 4 }, () =>
      api.call('POST', '/webhooks', { headers: { 'X-API-Key': tenant }, body: { url: 'https://slow.example/' } }),
    ),
    api.call('PATCH', `/webhooks/${WALLET_ID}`, { headers: { 'X-API-Key': tenant }, body: { url: 'https://slow.example/' } }),
  ]);
  await expect.poll(() => asking).toBe(calls.length);
  expect((await api.call('GET', READ, { headers: { 'X-API-Key': 'a' } })).status).toBe(200);
  expect((await api.call('GET', READ, { headers: { 'X-API-Key': 'c' } })).status).toBe(200);
  asked.resolve();
  expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 400));
});
