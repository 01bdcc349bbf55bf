import { describe, expect, it } from 'vitest';
import { listHttpErrors } from '../../src/api/http-errors.ts';
import { createServer } from '../../src/api/server.ts';
import { NOW } from '../support/builders.ts';
import { request } from '../support/request.ts';
import { buildHealth, buildServerDeps } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

describe('GET /chains', () => {
  it('lists every chain with its ids and the names of its endpoints', async () => {
    const { body } = await createTestApi().call('GET', '/chains');
    expect(body.chains[0]).toEqual({
      slug: 'ethereum',
      name: 'Ethereum',
      family: 'evm',
      caip2: 'eip155:1',
      native_asset: { asset_id: 'eip155:1/slip44:60', symbol: 'ETH', name: 'Ether', decimals: 18 },
      enabled: true,
      endpoints: ['rpc.example'],
    });
    expect(body.chains.find((chain: { slug: string }) => chain.slug === 'solana')).toMatchObject({
      family: 'solana',
      enabled: false,
    });
  });
});

describe('GET /health', () => {
  it.each([
    ['ok', 200],
    ['degraded', 200],
    ['down', 503],
  ] as const)('answers %s with %i and is never stored', async (status, code) => {
    const parts = [
      { name: 'database', status: 'ok', checkedAt: NOW, error: null, block: null, inUse: true },
      { name: 'chain:ethereum', status: 'ok', checkedAt: NOW, error: null, block: 23_850_112n, inUse: true },
      {
        name: 'chain:solana',
        status: 'down',
        checkedAt: null,
        error: { code: 'upstream_timeout', provider: 'rpc.example' },
        block: null,
        inUse: false,
      },
    ] as const;
    const answer = await createTestApi({ health: { getHealth: async () => buildHealth({ status, parts }) } }).call(
      'GET',
      '/health',
    );
    expect(answer.status).toBe(code);
    expect(answer.body.status).toBe(status);
    expect(answer.body.parts[1].block).toBe(23_850_112);
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers.etag).toBeUndefined();
  });

  it('refuses while the service stops', async () => {
    const answer = await createTestApi({}, { stopSignal: AbortSignal.abort() }).call('GET', '/health');
    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('shutting_down');
  });
});

describe('the pages', () => {
  const app = createServer(buildServerDeps());

  it('lead from the root to the docs', async () => {
    const answer = await request(app).get('/');
    expect(answer.status).toBe(302);
    expect(answer.headers.location).toBe('/docs');
  });

  it('load nothing from elsewhere, and everything they name is there', async () => {
    const page = await request(app).get('/docs');
    expect(page.headers['content-type']).toContain('text/html');
    const named = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(named.length).toBeGreaterThanOrEqual(4);
    for (const path of named) {
      expect(path).toMatch(/^\/docs\//);
      const asset = await request(app).get(path).buffer(true);
      expect(asset.status).toBe(200);
    }
    const script = (await request(app).get('/docs/start.js').buffer(true)).text;
    expect(script).toContain("'/api/v1/openapi.json'");
    expect(script).toContain('validatorUrl: null');
    expect(script).not.toContain('http');
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*connect-src 'self'/);
  });

  it('explain what a problem points to', async () => {
    const problem = (await request(app).get('/nowhere')).body;
    const page = await request(app).get(problem.type);
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(page.text).toContain(`<h1>${problem.title}</h1>`);
    expect(page.text).toContain('<h2>What to do</h2>');
  });

  it('list every code, each with a page of its own', async () => {
    const list = (await request(app).get('/docs/errors')).text;
    const linked = [...list.matchAll(/href="(\/docs\/errors\/\w+)"/g)].map((match) => match[1] ?? '');
    expect(linked).toEqual(listHttpErrors().map(({ code }) => `/docs/errors/${code}`));
    const pages = await Promise.all(linked.map((path) => request(app).get(path)));
    for (const { status, text } of pages) {
      expect(status).toBe(200);
      expect(text).not.toMatch(/undefined|`/);
    }
    expect(new Set(pages.map(({ text }) => text)).size).toBe(linked.length);
    for (const path of ['/docs/errors/none', '/docs/errors/__proto__']) {
      expect((await request(app).get(path)).status).toBe(404);
    }
  });

  it('give nothing else out of the folders behind them', async () => {
    for (const path of ['/docs/package.json', '/docs/..%2fpackage.json', '/docs/swagger-ui.js']) {
      expect((await request(app).get(path)).status).toBe(404);
    }
  });
});
