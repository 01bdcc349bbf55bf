import { describe, expect, it } from 'vitest';
import { createServer } from '../../../src/api/server.ts';
import { createRateLimiter } from '../../../src/lib/rate-limiter.ts';
import { request } from '../../support/request.ts';
import { buildServerDeps } from '../../support/stub-services.ts';

const PAGE = 'https://app.example';

function api(corsOrigins: readonly string[]) {
  const log = { info: () => undefined, warn: () => undefined };
  const rateLimiter = createRateLimiter({ points: 2, windowSeconds: 60, redis: null, instanceCount: 1, log });
  return request(createServer(buildServerDeps({}, { corsOrigins, rateLimiter })));
}

const preflight = (origin: string) => ({
  Origin: origin,
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'content-type',
});

describe('a page of an allowed origin', () => {
  it('may show a key, which is never taken from its cookies', async () => {
    const asked = await api([PAGE])
      .options('/api/v1/chains')
      .set({ ...preflight(PAGE), 'Access-Control-Request-Headers': 'authorization,x-api-key' });
    expect(asked.status).toBe(204);
    const allowed = String(asked.headers['access-control-allow-headers']).toLowerCase().split(', ');
    expect(allowed).toEqual(
      expect.arrayContaining(['authorization', 'x-api-key', 'idempotency-key', 'if-match', 'last-event-id']),
    );
    expect(asked.headers['access-control-allow-credentials']).toBeUndefined();
    const answer = await api([PAGE]).get('/api/v1/chains').set({ Origin: PAGE });
    expect(answer.headers['access-control-expose-headers']).toContain('WWW-Authenticate');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('may ask first, as often as it likes', async () => {
    const server = api([PAGE]);
    for (let i = 0; i < 5; i++) {
      const answer = await server.options('/api/v1/wallets').set(preflight(PAGE));
      expect(answer.status).toBe(204);
      expect(answer.headers['access-control-allow-origin']).toBe(PAGE);
      expect(answer.headers['access-control-allow-methods']).toContain('POST');
      expect(answer.headers['access-control-allow-headers']).toMatch(/content-type/i);
      expect(answer.headers.vary).toBe('Origin');
    }
  });

  it('may read answers, refusals and the headers it needs', async () => {
    for (const path of ['/api/v1/chains', '/api/v1/nowhere']) {
      const answer = await api([PAGE]).get(path).set('Origin', PAGE);
      expect(answer.headers['access-control-allow-origin']).toBe(PAGE);
      expect(answer.headers['access-control-expose-headers']).toContain('RateLimit');
      expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
    }
  });
});

describe('any other page', () => {
  it.each(['https://evil.example', 'https://app.example.evil', 'http://app.example', 'null'])('%s may not', async (origin) => {
    const answer = await api([PAGE]).get('/api/v1/chains').set('Origin', origin);
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    expect(answer.headers.vary).toBe('Origin');
    const asked = await api([PAGE]).options('/api/v1/wallets').set(preflight(origin));
    expect(asked.status).toBe(405);
    expect(asked.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('may when all are let in, and none may when none is named', async () => {
    const open = await api(['*']).get('/api/v1/chains').set('Origin', 'https://any.example');
    expect(open.headers['access-control-allow-origin']).toBe('*');
    const closed = await api([]).get('/api/v1/chains').set('Origin', PAGE);
    expect(closed.headers['access-control-allow-origin']).toBeUndefined();
    expect(closed.headers.vary).toBeUndefined();
  });
});
