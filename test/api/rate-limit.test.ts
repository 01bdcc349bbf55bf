import { setTimeout as sleep } from 'node:timers/promises';
import type { Response } from 'supertest';
import { describe, expect, it } from 'vitest';
import { createOpenApi } from '../../src/api/openapi.ts';
import { createRoutes } from '../../src/api/server.ts';
import { createRateLimiter } from '../../src/lib/rate-limiter.ts';
import { buildRefresh, buildServerDeps, buildWallet, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi, type TestApi } from '../support/test-api.ts';

const quiet = { info: () => undefined, warn: () => undefined };

function limitedApi(points: number, { windowSeconds = 60, trustedProxies = [] as readonly string[] } = {}): TestApi {
  const rateLimiter = createRateLimiter({ points, windowSeconds, redis: null, instanceCount: 1, log: quiet });
  const stubs = {
    wallets: {
      get: async () => buildWallet(),
      add: async () => ({ wallet: buildWallet(), created: true }),
      addMany: async (_tenant: string, wallets: readonly unknown[]) =>
        wallets.map(() => ({ wallet: buildWallet(), created: true })),
    },
    refreshes: { refresh: async () => buildRefresh() },
  };
  return createTestApi(stubs, { rateLimiter, trustedProxies });
}

const READ = `/wallets/${WALLET_ID}`;

function leftOf({ headers }: Response): { r: number; t: number } {
  const [, r, t] = /^"default";r=(\d+);t=(\d+)$/.exec(headers.ratelimit ?? '') ?? [];
  return { r: Number(r), t: Number(t) };
}

describe('a request', () => {
  it('tells what its client may spend and has left', async () => {
    const api = limitedApi(10);
    const answer = await api.call('GET', READ);
    expect(answer.headers['ratelimit-policy']).toBe('"default";q=10;w=60');
    expect(answer.headers.ratelimit).toBe('"default";r=9;t=60');
    expect(answer.headers['retry-after']).toBeUndefined();
  });

  it.each([
    ['GET', READ, undefined, 1],
    ['GET', '/nowhere', undefined, 1],
    ['PUT', READ, undefined, 1],
    ['GET', `${READ}?unknown=1`, undefined, 1],
    ['POST', '/wallets', { address: 'a' }, 2],
    ['POST', '/wallets', {}, 2],
    ['POST', `${READ}/fetch`, undefined, 10],
    ['POST', '/portfolio/refresh', undefined, 10],
    ['POST', '/wallets/bulk', { wallets: [{ address: 'a' }] }, 2],
    ['POST', '/wallets/bulk', { wallets: Array.from({ length: 1000 }, () => ({ address: 'a' })) }, 202],
  ] as const)('%s %s takes its points', async (method, path, body, cost) => {
    const api = limitedApi(600);
    const answer = await api.call(method, path, body === undefined ? {} : { body });
    expect(leftOf(answer).r).toBe(600 - cost);
  });

  it.each(['/health', '/metrics'])('for %s is never limited', async (path) => {
    const api = limitedApi(1);
    await api.call('GET', READ);
    for (let i = 0; i < 5; i++) {
      const answer = await api.call('GET', path);
      expect(answer.status).not.toBe(429);
      expect(answer.headers.ratelimit).toBeUndefined();
    }
  });

  it('that takes more than is left is refused, takes none, and says when to come back', async () => {
    const api = limitedApi(10);
    await api.call('GET', READ);
    const refused = await api.call('POST', `${READ}/fetch`);
    expect(refused.status).toBe(429);
    expect(refused.body).toMatchObject({
      code: 'rate_limited',
      detail: expect.stringContaining('10 points and 9 of 10 are left'),
    });
    expect(refused.headers['retry-after']).toBe(String(leftOf(refused).t));
    expect(leftOf(refused).r).toBe(9);
    expect((await api.call('GET', READ)).status).toBe(200);
  });

  it('is refused before its body is read', async () => {
    const api = limitedApi(2);
    await api.call('POST', '/wallets', { body: { address: 'a' } });
    expect((await api.call('POST', '/wallets', { body: '{' })).status).toBe(429);
  });

  it('counts for the address that a trusted proxy names, and for that of the proxy otherwise', async () => {
    const trusting = limitedApi(1, { trustedProxies: ['127.0.0.0/8', '::1/128'] });
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    expect((await trusting.call('GET', READ, from('198.51.100.1'))).status).toBe(200);
    expect((await trusting.call('GET', READ, from('198.51.100.1'))).status).toBe(429);
    expect((await trusting.call('GET', READ, from('198.51.100.2'))).status).toBe(200);
    const plain = limitedApi(1);
    expect((await plain.call('GET', READ, from('198.51.100.1'))).status).toBe(200);
    expect((await plain.call('GET', READ, from('198.51.100.2'))).status).toBe(429);
  });
});

it('a client that heeds the headers is never refused, and gets all that it may', async () => {
  const api = limitedApi(12, { windowSeconds: 1 });
  const requests = [
    ['GET', READ, 1],
    ['POST', '/portfolio/refresh', 10],
    ['POST', '/wallets', 2],
  ] as const;
  let left = { r: 12, t: 0 };
  let windows = 0;
  for (let i = 0; i < 18; i++) {
    const [method, path, cost] = requests[i % requests.length] ?? requests[0];
    if (cost > left.r) {
      await sleep(left.t * 1000);
      windows++;
    }
    const answer = await api.call(method, path, path === '/wallets' ? { body: { address: 'a' } } : {});
    expect(answer.status).toBeLessThan(300);
    left = leftOf(answer);
  }
  expect(windows).toBeLessThanOrEqual(9);
});

it('the documentation names the points of each operation', () => {
  const document = JSON.parse(JSON.stringify(createOpenApi(createRoutes(buildServerDeps()), { version: '1' })));
  const told = (path: string, method: string): string => document.paths[`/api/v1${path}`][method].description;
  expect(told('/portfolio', 'get')).toMatch(/Takes 1 point\.$/);
  expect(told('/wallets', 'post')).toMatch(/Takes 2 points\.$/);
  expect(told('/portfolio/refresh', 'post')).toMatch(/Takes 10 points\.$/);
  expect(told('/health', 'get')).toMatch(/Takes no points\.$/);
});
