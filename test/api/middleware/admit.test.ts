import { expect, it, vi } from 'vitest';
import type { Principal } from '../../../src/domain/access.ts';
import { AppError } from '../../../src/domain/errors.ts';
import { createRateLimiter } from '../../../src/lib/rate-limiter.ts';
import { buildWallet, ownerOf, WALLET_ID } from '../../support/stub-services.ts';
import { createTestApi, type TestApi } from '../../support/test-api.ts';

const quiet = { info: () => undefined, warn: () => undefined };

function setup(authenticate: () => Promise<Principal>): { api: TestApi; add: ReturnType<typeof vi.fn> } {
  const rateLimiter = createRateLimiter({ points: 10, windowSeconds: 60, redis: null, instanceCount: 1, log: quiet });
  const add = vi.fn(async () => ({ wallet: buildWallet(), created: true }));
  const stubs = { wallets: { add, get: async () => buildWallet() } };
  return { api: createTestApi(stubs, { rateLimiter, authenticate }), add };
}

const nobody = async (): Promise<never> => {
  throw new AppError('unauthorized', 'No key came with the request.');
};
const reader = async (): Promise<Principal> => ({
  ...ownerOf('tenant'),
  scopes: new Set(['read:values', 'read:percent'] as const),
});

it('turns away who is nobody, tells what is asked for, and takes a point', async () => {
  const { api } = setup(nobody);
  const refused = await api.call('GET', `/wallets/${WALLET_ID}`);
  expect(refused.status).toBe(401);
  expect(refused.body.code).toBe('unauthorized');
  expect(refused.headers['www-authenticate']).toBe('Bearer realm="chainfolio"');
  expect(refused.headers.ratelimit).toMatch(/r=9;/);
});

it('turns away whose key lacks the scope before the body is read, and names the scope', async () => {
  const { api, add } = setup(reader);
  const refused = await api.call('POST', '/wallets', { body: '{"address": not json' });
  expect(refused.status).toBe(403);
  expect(refused.body).toMatchObject({ code: 'forbidden', detail: 'This takes a key with the scope write.' });
  expect(refused.headers.ratelimit).toMatch(/r=9;/);
  expect(add).not.toHaveBeenCalled();
});

it('lets in whose key has the scope', async () => {
  const { api } = setup(reader);
  expect((await api.call('GET', `/wallets/${WALLET_ID}`)).status).toBe(200);
});

it('stops who goes on guessing', async () => {
  const { api } = setup(nobody);
  for (let i = 0; i < 10; i++) expect((await api.call('GET', '/wallets')).status).toBe(401);
  expect((await api.call('GET', '/wallets')).status).toBe(429);
});
