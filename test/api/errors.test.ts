import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { httpFaceOf, listHttpErrors } from '../../src/api/http-errors.ts';
import { AppError, type ErrorCode } from '../../src/domain/errors.ts';
import { buildWallet, WALLET_ID } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const SECRET = 'https://rpc.example/v3/CANARY';

function apiThatThrows(thrown: unknown, overrides = {}) {
  return createTestApi(
    {
      wallets: {
        add: async () => {
          throw thrown;
        },
      },
    },
    overrides,
  );
}

function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, log: pino(stream) };
}

describe('what a service throws', () => {
  const body = { address: 'vitalik.eth' };

  it.each<[ErrorCode, number]>([
    ['invalid_address', 400],
    ['unknown_chain', 400],
    ['unsupported_name', 400],
    ['name_not_found', 422],
    ['upstream_timeout', 504],
    ['upstream_unreachable', 502],
    ['upstream_no_endpoint', 503],
    ['upstream_rate_limited', 503],
    ['database_unavailable', 503],
    ['shutting_down', 503],
  ])('%s is a %i', async (code, status) => {
    const answer = await apiThatThrows(new AppError(code, `says ${SECRET}`)).call('POST', '/wallets', { body });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code, instance: '/api/v1/wallets', type: `/docs/errors/${code}` });
    if (status < 500) expect(answer.body.detail).toBe(`says ${SECRET}`);
    else expect(JSON.stringify(answer.body)).not.toContain('CANARY');
  });

  it.each([new Error(SECRET), undefined, SECRET, { status: 418 }])(
    'that is no error of ours is a 500 without details',
    async (thrown) => {
      const answer = await apiThatThrows(thrown).call('POST', '/wallets', { body });
      expect(answer.status).toBe(500);
      expect(answer.body.code).toBe('internal');
      expect(JSON.stringify(answer.body)).not.toContain('CANARY');
    },
  );

  it.each([
    [4_200, '5'],
    [0, '1'],
    [undefined, undefined],
  ])('with a wait of %s ms comes with Retry-After: %s', async (retryAfterMs, header) => {
    const error = new AppError('upstream_rate_limited', 'slow down', retryAfterMs === undefined ? {} : { retryAfterMs });
    const answer = await apiThatThrows(error).call('POST', '/wallets', { body });
    expect(answer.headers['retry-after']).toBe(header);
  });

  it('reaches the log with its cause, under the request id of the answer', async () => {
    const { lines, log } = collectLog();
    const answer = await apiThatThrows(new TypeError('the cause'), { log }).call('POST', '/wallets', { body });
    const failure = lines.find((line) => line.msg === 'request failed');
    expect(failure).toMatchObject({ level: 50, request_id: answer.body.request_id, err: { message: 'the cause' } });
  });
});

describe('what the request gets wrong', () => {
  const api = createTestApi();

  it.each(['{', '{"address":"a"', 'true', '"text"', '\u0000', '{"a":1}}'])('%j is not valid JSON', async (body) => {
    const answer = await api.call('POST', '/wallets', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_json');
    expect(answer.body.detail).toBe('The body cannot be read as a JSON object.');
  });

  it('a body is needed where one is documented', async () => {
    const answer = await api.call('POST', '/wallets');
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid_request', detail: 'This request needs a JSON body.' });
  });

  it('a body of more than 1 MB is refused', async () => {
    const answer = await api.call('POST', '/wallets', { body: { address: 'a'.repeat(1_100_000) } });
    expect(answer.status).toBe(413);
    expect(answer.body.code).toBe('payload_too_large');
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'application/json; charset=latin1',
    'nonsense',
  ])('a body of type %s is refused', async (type) => {
    const answer = await api.call('POST', '/wallets', { body: '{"address":"a"}', headers: { 'Content-Type': type } });
    expect(answer.status).toBe(415);
    expect(answer.body.code).toBe('unsupported_media_type');
  });

  it('a compressed body is refused, so that no small one can grow', async () => {
    const headers = { 'Content-Encoding': 'gzip', 'Content-Type': 'application/json' };
    expect((await api.call('POST', '/wallets', { body: '{"address":"a"}', headers })).status).toBe(415);
  });

  it('a body nested half a million deep is refused before it is parsed', async () => {
    const depth = 500_000;
    const arrays = `{"address":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const objects = `${'{"a":'.repeat(150_000)}1${'}'.repeat(150_000)}`;
    for (const body of [arrays, objects]) {
      const answer = await api.call('POST', '/wallets', { body });
      expect(answer.body).toMatchObject({ status: 400, code: 'invalid_json', detail: 'A body may be nested 16 deep.' });
    }
  });

  it('fields that would reach a prototype are unknown fields', async () => {
    const answer = await api.call('POST', '/wallets', { body: '{"address":"a","__proto__":{"label":"x"}}' });
    expect(answer.body.errors).toEqual([
      { pointer: '/body/__proto__', code: 'unknown_key', message: 'There is no such field here.' },
    ]);
  });

  it('a fault is told without repeating what was sent', async () => {
    const answer = await api.call('POST', '/wallets', {
      body: { address: { CANARY: 1 }, chain: 'CANARY!', label: '\u0007CANARY' },
    });
    expect(answer.status).toBe(400);
    expect(answer.body.errors).toHaveLength(3);
    expect(JSON.stringify(answer.body)).not.toContain('CANARY');
  });

  it.each(['/nowhere', '/wallets/', '/Wallets', '/wallets/a/b/c', '//wallets'])('%s is not found', async (path) => {
    const answer = await api.call('GET', path);
    expect(answer.body).toMatchObject({ status: 404, code: 'route_not_found', errors: [] });
  });

  it('a path that cannot be decoded is refused', async () => {
    const answer = await api.call('GET', '/wallets/%ff');
    expect(answer.status).toBe(400);
    expect(answer.body.code).toBe('invalid_request');
  });

  it.each([
    ['PUT', '/wallets', 'POST, GET, HEAD'],
    ['POST', `/wallets/${WALLET_ID}`, 'GET, PATCH, DELETE, HEAD'],
    ['GET', '/portfolio/refresh', 'POST'],
    ['DELETE', '/health', 'GET, HEAD'],
  ] as const)('%s %s is not allowed and says what is', async (method, path, allow) => {
    const answer = await api.call(method, path);
    expect(answer.status).toBe(405);
    expect(answer.body.code).toBe('method_not_allowed');
    expect(answer.headers.allow).toBe(allow);
  });
});

describe('request ids', () => {
  const api = createTestApi({ wallets: { get: async () => buildWallet() } });

  it('are the client’s own when they are decent', async () => {
    const answer = await api.call('GET', `/wallets/${WALLET_ID}`, { headers: { 'X-Request-Id': 'Trace-42' } });
    expect(answer.headers['x-request-id']).toBe('Trace-42');
  });

  it.each(['', 'a'.repeat(65), 'a b', 'a;b', '<x>', 'ü'])('are made anew instead of %j', async (sent) => {
    const answer = await api.call('GET', `/wallets/${WALLET_ID}`, { headers: { 'X-Request-Id': sent } });
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('the log', () => {
  it('has one line a request, with the template of its route and nothing of what was sent', async () => {
    const { lines, log } = collectLog();
    const api = createTestApi({ wallets: { get: async () => buildWallet() } }, { log });
    await api.call('GET', `/wallets/${WALLET_ID}?CANARY=CANARY`, { headers: { Authorization: 'CANARY', Cookie: 'CANARY=1' } });
    await api.call('GET', `/wallets/${WALLET_ID}`, { headers: { 'X-Request-Id': 'req-7' } });
    await api.call('GET', '/CANARY');

    const shown = lines.map(({ method, route, status, request_id: id }) => ({ method, route, status, id }));
    expect(shown).toEqual([
      { method: 'GET', route: '/api/v1/wallets/{id}', status: 400, id: expect.any(String) },
      { method: 'GET', route: '/api/v1/wallets/{id}', status: 200, id: 'req-7' },
      { method: 'GET', route: null, status: 404, id: expect.any(String) },
    ]);
    expect(lines[0]?.ms).toEqual(expect.any(Number));
    expect(JSON.stringify(lines)).not.toContain('CANARY');
    expect(JSON.stringify(lines)).not.toContain(WALLET_ID);
  });
});

describe('the table of errors', () => {
  it('gives every code a status that fits its kind', () => {
    for (const { code, status, title } of listHttpErrors()) {
      expect(title).not.toMatch(/\.$/);
      if (code.startsWith('upstream_')) expect([502, 503, 504]).toContain(status);
      if (code.endsWith('_not_found') && code !== 'name_not_found') expect(status).toBe(404);
    }
    expect(httpFaceOf('internal').status).toBe(500);
  });
});
