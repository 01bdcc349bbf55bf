import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Body } from '../support/test-stack.ts';
import { ROOT } from './container-stack.ts';
import { buildImage, inspect, podman, until } from './podman.ts';

const NAME = `chainfolio-nginx-${process.pid}`;
const INSTANCES = [`${NAME}-1`, `${NAME}-2`];
let url: string;
let port: number;

beforeAll(async () => {
  await buildImage(ROOT);
  await podman('network', 'create', NAME);
  for (const name of INSTANCES) {
    const echo = `${join(import.meta.dirname, 'echo-server.ts')}:/echo-server.ts:ro`;
    await podman(
      'run',
      '-d',
      '--name',
      name,
      '--network',
      NAME,
      '--network-alias',
      'api',
      '-v',
      echo,
      'chainfolio',
      'node',
      '/echo-server.ts',
    );
  }
  await podman(
    ...['run', '-d', '--name', NAME, '--network', NAME, '--user', 'nginx', '--read-only', '--tmpfs', '/tmp:mode=1777'],
    ...['-v', `${ROOT}/nginx.conf:/etc/nginx/nginx.conf:ro`, '-v', `${ROOT}/deploy/nginx-start.sh:/deploy/nginx-start.sh:ro`],
    ...['-p', '127.0.0.1::8080', 'docker.io/library/nginx:1', 'sh', '/deploy/nginx-start.sh'],
  );
  port = Number((await podman('port', NAME, '8080')).split(':')[1]);
  url = `http://127.0.0.1:${port}`;
  await until('nginx serves', async () => (await ask('/api/v1/x')).status === 200);
});
afterAll(async () => {
  await podman('rm', '--force', '--time', '1', NAME, ...INSTANCES);
  await podman('network', 'rm', '--force', NAME);
});

type Answer = { readonly status: number; readonly headers: Headers; readonly body: Body };

async function ask(path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url + path, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** What comes back for exactly these bytes, until nginx closes, which it does with a reset when it has not read everything. */
async function send(bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (part) => {
    answer += part.toString();
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  await new Promise((resolve) => socket.on('close', resolve));
  return answer;
}

/** The status and the problem document for a request line and headers as they stand. */
async function refusalOf(head: string): Promise<{ status: number; problem: Body }> {
  const answer = await send(`${head}\r\nConnection: close\r\n\r\n`);
  expect(answer).toContain('Content-Type: application/problem+json; charset=utf-8');
  const [top = '', json = ''] = answer.split('\r\n\r\n');
  return { status: Number(top.split(' ')[1]), problem: JSON.parse(json) };
}

describe('what reaches an instance', () => {
  it('has the address that nginx saw, whatever the client says', async () => {
    const forged = {
      'X-Forwarded-For': '203.0.113.9',
      'X-Real-IP': '203.0.113.9',
      Forwarded: 'for=203.0.113.9',
      'X-Forwarded-Host': 'a.b',
    };
    const { headers } = (await ask('/api/v1/x', { headers: forged })).body;
    expect(headers['x-forwarded-for']).toMatch(/^[\d.]+$/);
    expect(JSON.stringify(headers)).not.toContain('203.0.113.9');
    expect(headers).not.toHaveProperty('x-forwarded-host');
    expect(headers).toMatchObject({ 'x-forwarded-proto': 'http', host: '127.0.0.1' });
  });

  it('has the id of the client if that is a decent one, else a new one', async () => {
    const idFor = async (id: string): Promise<string> =>
      (await ask('/api/v1/x', { headers: { 'X-Request-Id': id } })).body.headers['x-request-id'];
    expect(await idFor('Req-7')).toBe('Req-7');
    for (const bad of ['a b', '"}', 'x'.repeat(65)]) expect(await idFor(bad)).toMatch(/^[0-9a-f]{32}$/);
  });

  it('carries the trace of the client on', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    expect((await ask('/api/v1/x', { headers: { traceparent } })).body.headers).toMatchObject({ traceparent });
  });

  it('comes over connections that are kept', async () => {
    const ports = new Set<number>();
    for (let index = 0; index < 40; index++) ports.add((await ask('/api/v1/x')).body.port);
    expect(ports.size).toBeLessThan(20);
  });

  it('is asked of another instance when one breaks off, but only if that can do no harm', async () => {
    expect((await ask('/api/v1/break', { method: 'POST' })).body).toMatchObject({ status: 502, code: 'bad_gateway' });
    expect(await sumOfBroken()).toBe(1);
    expect((await ask('/api/v1/break')).body).toMatchObject({ status: 502 });
    expect(await sumOfBroken()).toBe(3);
  });
});

/** How often the instances were asked to break off, in all. */
async function sumOfBroken(): Promise<number> {
  let sum = 0;
  for (const name of INSTANCES) {
    const address = await inspect(name, `(index .NetworkSettings.Networks "${NAME}").IPAddress`);
    const answer: Body = await fetch(`http://${address}:3000/`).then((response) => response.json());
    sum += answer.broken;
  }
  return sum;
}

describe('what comes back', () => {
  it('is compressed when it is worth it and never names a version', async () => {
    const { headers, status } = await ask('/api/v1/x', { headers: { 'accept-encoding': 'gzip' } });
    expect(status).toBe(200);
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(headers.get('vary')).toBe('Accept-Encoding');
    expect(headers.get('server')).toBe('nginx');
  });

  it('is passed on as it comes where it is a stream', async () => {
    const response = await fetch(`${url}/api/v1/events`);
    const reader = response.body?.getReader();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: first\n\n');
    // The stream's end only comes with other requests; it may be at either instance.
    await sumOfBroken();
    expect(Buffer.from((await reader?.read())?.value ?? []).toString()).toBe('data: last\n\n');
  });
});

describe('what is refused', () => {
  it.each([
    '/metrics',
    '/metrics/',
    '/api/v1/metrics',
    '/api/v1/metrics?x=1',
    '/api/v1/metrics/x',
    '/api/v1/%6detrics',
    '/api/v1//metrics',
    '/api/v1/./metrics',
    '/api/v1/wallets/../metrics',
    '//metrics',
    '/docs/..%2fmetrics',
    '/health/startup',
    '/api/v2/portfolio',
    '/admin',
    '/problem',
  ])('%s is not there', async (path) => {
    const { status, problem } = await refusalOf(`GET ${path} HTTP/1.1\r\nHost: localhost`);
    expect(status).toBe(404);
    expect(problem).toMatchObject({ status: 404, code: 'route_not_found', type: '/docs/errors/route_not_found', errors: [] });
    expect(problem.request_id).toMatch(/^[0-9a-f]{32}$/);
  });

  it.each([
    ['a name that is not ours', 'GET /api/v1/portfolio HTTP/1.1\r\nHost: evil.example', 421, 'unknown_host'],
    ['an address of 9 KB', `GET /${'a'.repeat(9_000)} HTTP/1.1\r\nHost: localhost`, 414, 'uri_too_long'],
    ['a header of 9 KB', `GET /docs HTTP/1.1\r\nHost: localhost\r\nX-A: ${'a'.repeat(9_000)}`, 431, 'headers_too_large'],
    ['a body of 2 MB', 'POST /api/v1/wallets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000000', 413, 'payload_too_large'],
    ['a method of the dark', 'TRACE /docs HTTP/1.1\r\nHost: localhost', 405, 'method_not_allowed'],
    ['two hosts', 'GET /docs HTTP/1.1\r\nHost: localhost\r\nHost: localhost', 400, 'invalid_request'],
    [
      'two lengths',
      'POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2',
      400,
      'invalid_request',
    ],
    [
      'a length and chunks',
      'POST /api/v1/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked',
      400,
      'invalid_request',
    ],
    ['no host', 'GET /docs HTTP/1.1\r\nX-A: b', 400, 'invalid_request'],
    ['what is not HTTP', 'BE SO KIND', 400, 'invalid_request'],
  ])('%s', async (_, head, status, code) => {
    const refusal = await refusalOf(head);
    expect(refusal).toMatchObject({ status, problem: { status, code, type: `/docs/errors/${code}` } });
  });

  it('tells in its answer the path that was asked for, never what could break the document', async () => {
    const { problem } = await refusalOf('GET /admin/%22,%22x?secret=canary HTTP/1.1\r\nHost: localhost');
    expect(problem.instance).toBe('/');
    expect((await refusalOf('GET /admin/users?secret=canary HTTP/1.1\r\nHost: localhost')).problem.instance).toBe('/admin/users');
  });

  it('keeps queries out of its log', async () => {
    await ask('/api/v1/x?api_key=canary-in-query');
    await refusalOf('GET /admin?api_key=canary-in-query HTTP/1.1\r\nHost: localhost');
    const log = await podman('logs', NAME);
    expect(log).toContain('"path":"/api/v1/x"');
    expect(log).not.toContain('canary-in-query');
  });

  it('closes on a client that never finishes its headers', async () => {
    const started = Date.now();
    await send('GET /docs HTTP/1.1\r\nHost: localhost\r\nX-Slow:');
    expect(Date.now() - started).toBeLessThan(60_000);
  });
});

describe('when instances come and go', () => {
  it('finds one that came back under another address', async () => {
    const [first = '', second = ''] = INSTANCES;
    await podman('stop', first);
    await podman('start', first);
    // Now only the one that has moved can answer.
    await podman('stop', second);
    await expect.poll(() => ask('/api/v1/x').then(({ status }) => status), { timeout: 30_000 }).toBe(200);
  });

  it('says so when there is none', async () => {
    await podman('stop', ...INSTANCES);
    const { status, headers, body } = await ask('/api/v1/x');
    // Their addresses are nobody's now: whether that is told or only shows in silence is the network's affair.
    expect([502, 504]).toContain(status);
    expect(body).toMatchObject({ status, code: status === 502 ? 'bad_gateway' : 'gateway_timeout', instance: '/api/v1/x' });
    expect(headers.get('retry-after')).toBe('1');
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
