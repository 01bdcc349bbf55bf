import type { Response, Test } from 'supertest';
import { expect } from 'vitest';
import { errorCodesOf } from '../../src/api/openapi.ts';
import type { Route } from '../../src/api/route.ts';
import { problemSchema } from '../../src/api/schemas/problem.ts';
import { createRoutes, createServer, type ServerDeps } from '../../src/api/server.ts';
import { request } from './request.ts';
import { buildServerDeps, type ServiceStubs } from './stub-services.ts';

const PREFIX = '/api/v1';

type Answer = {
  readonly method: string;
  /** With or without query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
};

/** Fails unless the answer is one that the documentation of its route promises, field by field. */
function expectDocumented(answer: Answer, routes: readonly Route[]): void {
  const { headers, status, body } = answer;
  expect(headers['x-request-id']).toMatch(/^[A-Za-z0-9-]{1,64}$/);
  expect(headers['x-content-type-options']).toBe('nosniff');
  expect(headers['content-security-policy']).toContain("default-src 'none'");
  expect(headers['cache-control']).toBeDefined();
  const route = findRoute(answer, routes);
  const spec = route?.replies[status];
  if (headers['content-type']?.startsWith('application/problem+json')) {
    const problem = problemSchema.parse(body);
    expect(problem).toEqual(body);
    expect(problem.status).toBe(status);
    expect(problem.request_id).toBe(headers['x-request-id']);
    if (route !== undefined) expect(errorCodesOf(route)).toContain(problem.code);
    else expect(['route_not_found', 'method_not_allowed', 'invalid_request']).toContain(problem.code);
  } else if (headers['content-type']?.startsWith('text/csv')) {
    const [header] = String(body).split('\r\n');
    expect(header).toBe(spec?.csv?.columns.join(','));
  } else if (status === 304) {
    expect(answer.method).toBe('GET');
  } else {
    expect(spec, `${answer.method} ${answer.path} is not documented with ${status}`).toBeDefined();
    const schema = isRedacted(body) ? spec?.percent?.schema : spec?.schema;
    if (schema === null) expect(body).toEqual({});
    // A field that the schema does not know would be missing from what it parses.
    else expect(schema?.parse(body)).toEqual(body);
    for (const name of Object.keys(spec?.headers ?? {})) {
      if (name === 'Location' || status === 202) expect(headers, `${name} is promised`).toSatisfy(hasHeader(name));
    }
  }
}

function isRedacted(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'redacted' in body;
}

function hasHeader(name: string): (headers: Answer['headers']) => boolean {
  return (headers) => name === 'Preference-Applied' || headers[name.toLowerCase()] !== undefined;
}

function findRoute({ method, path }: Answer, routes: readonly Route[]): Route | undefined {
  const [plain = ''] = path.split('?');
  return routes.find((route) => {
    const pattern = new RegExp(`^${PREFIX}${route.path.replaceAll(/\{\w+\}/g, '[^/]+')}$`);
    return route.method === method.toLowerCase() && pattern.test(plain);
  });
}

type Options = { readonly body?: string | object; readonly headers?: Readonly<Record<string, string>> };

export type TestApi = {
  call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT', path: string, options?: Options): Promise<Response>;
};

/** The API around stubbed services. Every answer is held against its documentation before a test sees it. */
export function createTestApi(stubs: ServiceStubs = {}, overrides: Partial<ServerDeps> = {}): TestApi {
  const deps = buildServerDeps(stubs, overrides);
  const app = createServer(deps);
  const routes = createRoutes(deps);
  return {
    async call(method, path, { body, headers = {} } = {}) {
      const sending: Test = request(app)[METHODS[method]](PREFIX + path);
      sending.set(headers).parse((response, done) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => done(null, parseBody(text, response.headers['content-type'])));
      });
      if (body !== undefined && headers['Content-Type'] === undefined) sending.type('application/json');
      const response = await sending.send(body);
      expectDocumented({ method, path: PREFIX + path, ...pick(response) }, routes);
      return response;
    },
  };
}

function parseBody(text: string, type: string | undefined): unknown {
  if (text === '') return {};
  return /^text\/(plain|csv)/.test(type ?? '') ? text : JSON.parse(text);
}

const METHODS = { GET: 'get', POST: 'post', PATCH: 'patch', DELETE: 'delete', PUT: 'put' } as const;

function pick({ status, headers, body }: Response): Pick<Answer, 'status' | 'headers' | 'body'> {
  return { status, headers, body };
}
