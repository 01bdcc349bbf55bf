import { describe, expect, it } from 'vitest';
import { createOpenApi, errorCodesOf } from '../../src/api/openapi.ts';
import { problemSchema } from '../../src/api/schemas/problem.ts';
import { createRoutes, createServer } from '../../src/api/server.ts';
import { request } from '../support/request.ts';
import { buildServerDeps } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const routes = createRoutes(buildServerDeps());
// As clients get it: what JSON cannot say is gone.
const document = JSON.parse(JSON.stringify(createOpenApi(routes, { version: '1.2.3' })));

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

function walk(value: Json, visit: (node: { [key: string]: Json }) => void): void {
  if (Array.isArray(value)) for (const item of value) walk(item, visit);
  else if (value !== null && typeof value === 'object') {
    visit(value);
    for (const item of Object.values(value)) walk(item, visit);
  }
}

function resolve(ref: string): unknown {
  const steps = ref
    .replace(/^#\//, '')
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return steps.reduce<unknown>((node, step) => (node as Record<string, unknown> | undefined)?.[step], document);
}

type Operation = {
  operationId: string;
  tags: string[];
  summary: string;
  security: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Record<string, { example: unknown }> };
  responses: Record<
    string,
    { $ref?: string; description?: string; content?: Record<string, { examples?: Record<string, { value: unknown }> }> }
  >;
};

const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
);

describe('the OpenAPI document', () => {
  it('is served as it is made', async () => {
    const answer = await request(createServer(buildServerDeps({}, { version: '1.2.3' }))).get('/api/v1/openapi.json');
    expect(answer.headers['content-type']).toContain('application/json');
    expect(answer.body).toEqual(document);
    expect(answer.body).toMatchObject({ openapi: '3.1.1', info: { title: 'chainfolio', version: '1.2.3' } });
  });

  it('has every route that is served, under the names that clients rely on', () => {
    expect(operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`).sort()).toEqual(
      [
        'POST /api/v1/wallets',
        'POST /api/v1/wallets/bulk',
        'GET /api/v1/wallets',
        'GET /api/v1/wallets/{id}',
        'PATCH /api/v1/wallets/{id}',
        'DELETE /api/v1/wallets/{id}',
        'POST /api/v1/wallets/{id}/fetch',
        'POST /api/v1/wallets/{id}/backfill',
        'GET /api/v1/wallets/{id}/backfill',
        'DELETE /api/v1/wallets/{id}/backfill',
        'GET /api/v1/wallets/{id}/balances',
        'GET /api/v1/portfolio',
        'GET /api/v1/portfolio/history',
        'GET /api/v1/portfolio/changes',
        'GET /api/v1/portfolio/performance',
        'GET /api/v1/statements',
        'GET /api/v1/transactions',
        'POST /api/v1/transactions',
        'POST /api/v1/transactions/import',
        'GET /api/v1/transactions/{id}',
        'PATCH /api/v1/transactions/{id}',
        'DELETE /api/v1/transactions/{id}',
        'POST /api/v1/portfolio/refresh',
        'GET /api/v1/refreshes/{id}',
        'GET /api/v1/alerts',
        'POST /api/v1/alerts',
        'GET /api/v1/alerts/{id}',
        'PATCH /api/v1/alerts/{id}',
        'DELETE /api/v1/alerts/{id}',
        'GET /api/v1/webhooks',
        'POST /api/v1/webhooks',
        'GET /api/v1/webhooks/{id}',
        'PATCH /api/v1/webhooks/{id}',
        'DELETE /api/v1/webhooks/{id}',
        'POST /api/v1/webhooks/{id}/rotate',
        'POST /api/v1/webhooks/{id}/test',
        'GET /api/v1/webhooks/{id}/deliveries',
        'POST /api/v1/webhooks/{id}/deliveries/{delivery_id}/replay',
        'GET /api/v1/chains',
        'GET /api/v1/assets',
        'POST /api/v1/assets',
        'GET /api/v1/assets/{id}',
        'PATCH /api/v1/assets/{id}',
        'DELETE /api/v1/assets/{id}',
        'POST /api/v1/assets/{id}/accept-price',
        'GET /api/v1/keys',
        'POST /api/v1/keys',
        'GET /api/v1/keys/{id}',
        'DELETE /api/v1/keys/{id}',
        'POST /api/v1/keys/{id}/rotate',
        'GET /api/v1/events',
        'GET /api/v1/rpc-endpoints',
        'POST /api/v1/rpc-endpoints',
        'DELETE /api/v1/rpc-endpoints/{id}',
        'GET /api/v1/providers',
        'GET /api/v1/health',
        'GET /api/v1/metrics',
      ].sort(),
    );
  });

  it.each(operations)('$method $path is served', async ({ method, path }) => {
    const concrete = path.replace('/api/v1', '').replace('{id}', '0198b000-0000-7000-8000-000000000001');
    const answer = await createTestApi().call(method.toUpperCase() as 'GET', concrete);
    expect(['route_not_found', 'method_not_allowed']).not.toContain(answer.body.code);
  });

  it('points only at what is in it', () => {
    const refs: string[] = [];
    walk(document, (node) => {
      if (typeof node.$ref === 'string') refs.push(node.$ref);
    });
    expect(refs.length).toBeGreaterThan(50);
    for (const ref of refs) expect(resolve(ref), ref).toBeDefined();
  });

  it('gives each operation an id of its own, words, and its path parameters', () => {
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { path, operation } of operations) {
      expect(operation.summary.length).toBeGreaterThan(5);
      expect(document.tags.map((tag: { name: string }) => tag.name)).toContain(operation.tags[0]);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
      expect(inPath.map(({ name }) => `{${name}}`)).toEqual(path.match(/\{\w+\}/g) ?? []);
      for (const parameter of inPath) expect(parameter.required).toBe(true);
    }
  });

  it('documents every error of an operation as a problem with an example for each code', () => {
    for (const route of routes) {
      const operation = operations.find(({ operation: { operationId } }) => operationId === route.operationId)?.operation;
      const documented = Object.values(operation?.responses ?? {}).flatMap((response) => {
        const { content } = (response.$ref === undefined ? response : resolve(response.$ref)) as typeof response;
        return Object.entries(content?.['application/problem+json']?.examples ?? {});
      });
      expect(documented.map(([code]) => code).sort()).toEqual([...errorCodesOf(route)].sort());
      for (const [code, { value }] of documented) expect(problemSchema.parse(value).code).toBe(code);
    }
  });

  it('has examples that its own schemas take', () => {
    for (const route of routes) {
      if (route.body.presence !== 'none') expect(() => route.body.schema.parse(route.body.example)).not.toThrow();
      for (const reply of Object.values(route.replies)) {
        if (reply.schema === null) expect(reply.example).toBeNull();
        else expect(reply.schema.parse(reply.example)).toEqual(reply.example);
      }
    }
  });

  it('says of each operation which key it takes', () => {
    expect(document.components.securitySchemes).toMatchObject({
      bearer: { type: 'http', scheme: 'bearer' },
      header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
    });
    const scopesOf = (id: string) => operations.find(({ operation }) => operation.operationId === id)?.operation.security;
    expect(scopesOf('listWallets')).toEqual([{ bearer: ['read:values'] }, { header: ['read:values'] }]);
    expect(scopesOf('listKeys')).toEqual([{ bearer: ['admin'] }, { header: ['admin'] }]);
    expect(scopesOf('listChains')).toEqual([{ bearer: [] }, { header: [] }]);
    for (const { operation } of operations) expect(operation.responses).toHaveProperty('401');
  });

  it('lets answers gain fields and requests have none that are unknown', () => {
    expect(document.components.schemas.Wallet.additionalProperties).toBeUndefined();
    expect(document.components.schemas.NewWallet.additionalProperties).toBe(false);
  });

  it('tells a page size as the number it is', () => {
    const list = operations.find(({ operation }) => operation.operationId === 'listWallets')?.operation;
    expect(list?.parameters?.find(({ name }) => name === 'limit')).toMatchObject({
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 50 },
    });
    expect(JSON.stringify(list?.parameters)).not.toContain('[1-9]');
  });
});
