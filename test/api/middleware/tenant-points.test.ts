import { expect, it } from 'vitest';
import type { Principal } from '../../../src/domain/access.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { Quotas } from '../../../src/domain/quotas.ts';
import { createRateLimiter } from '../../../src/lib/rate-limiter.ts';
import { buildWallet, ownerOf, WALLET_ID } from '../../support/stub-services.ts';
import { createTestApi } from '../../support/test-api.ts';

const READ = `/wallets/${WALLET_ID}`;

/** An API whose keys are called `<tenant>.<key>`. */
function keyedApi(requestsPerMinute: Readonly<Record<string, number | null>>) {
  const log = { info: () => undefined, warn: () => undefined };
  const rateLimiter = createRateLimiter({ points: 3, windowSeconds: 60, redis: null, instanceCount: 1, log });
  const quotas = {
    get: (tenantId: string): Quotas => ({
      wallets: null,
      refreshesPerHour: null,
      requestsPerMinute: requestsPerMinute[tenantId] ?? null,
    }),
  };
  const authenticate = async ({ headers }: { headers: Readonly<Record<string, unknown>> }): Promise<Principal> => {
    const key = String(headers['x-api-key'] ?? '');
    if (key === '') throw new AppError('unauthorized', 'This takes a key.');
    return { ...ownerOf(key.split('.')[0] ?? ''), keyId: key };
  };
  const api = createTestApi({ wallets: { get: async () => buildWallet() }, quotas }, { rateLimiter, authenticate });
  return (key?: string) => api.call('GET', READ, { headers: key === undefined ? {} : { 'X-API-Key': key } });
}

it('all keys of a tenant spend the points of the tenant, which may have more or fewer than others', async () => {
  const read = keyedApi({ a: 5, b: 2 });
  const first = await read('a.1');
  expect(first.headers.ratelimit).toMatch(/r=4;/);
  expect(first.headers['ratelimit-policy']).toBe('"default";q=5;w=60');
  for (const key of ['a.2', 'a.1', 'a.3', 'a.2']) expect((await read(key)).status).toBe(200);
  expect((await read('a.4')).status).toBe(429);
  expect((await read('b.1')).headers.ratelimit).toMatch(/r=1;/);
});

it('a tenant without a quota is not limited', async () => {
  const read = keyedApi({ a: null });
  for (let i = 0; i < 8; i++) expect((await read('a.1')).status).toBe(200);
});

it('whoever shows no key spends the points of the address, and none of a tenant', async () => {
  const read = keyedApi({ a: 5 });
  for (let i = 0; i < 3; i++) expect((await read()).status).toBe(401);
  expect((await read()).status).toBe(429);
  expect((await read('a.1')).headers.ratelimit).toMatch(/r=4;/);
});
