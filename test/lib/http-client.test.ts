import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultMode, type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import type { AppError } from '../../src/domain/errors.ts';
import { createHttpClient, failedStatus, type HttpRequest, parseRetryAfter } from '../../src/lib/http-client.ts';

const MIB = 1024 * 1024;
const http = createHttpClient();
let server: FaultServer;

beforeAll(async () => {
  server = await startFaultServer();
});
afterAll(async () => {
  await http.close();
  await server.close();
});

function requestOf(url: string, change: Partial<HttpRequest> = {}): HttpRequest {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['hello'] });
  return { url, method: 'POST', body, signal: new AbortController().signal, timeoutMs: 300, maxBytes: 8 * MIB, ...change };
}

function failure(promise: Promise<unknown>): Promise<AppError> {
  return promise.then(
    () => expect.unreachable('it was meant to fail'),
    (error) => error,
  );
}

describe('what is refused', () => {
  it.each<[FaultMode, string]>([
    ['hang', 'upstream_timeout'],
    ['drip', 'upstream_timeout'],
    ['huge', 'upstream_too_large'],
    ['huge-declared', 'upstream_too_large'],
    ['bomb', 'upstream_encoding'],
    ['redirect', 'upstream_redirect'],
    ['status-304', 'upstream_redirect'],
    ['reset', 'upstream_unreachable'],
    ['cut', 'upstream_unreachable'],
  ])('%s ends as %s, with the socket closed and the key unsaid', async (mode, code) => {
    const before = server.requests();
    const startedAt = performance.now();
    const error = await failure(http.send(requestOf(`${server.url(mode)}/v3/CANARY?key=CANARY`)));
    expect(error).toMatchObject({ code, provider: new URL(server.url()).host });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(error.message + error.stack + JSON.stringify(error) + String(error.cause)).not.toContain('CANARY');
    await server.allClosed();
    expect(server.requests()).toBe(before + 1);
  });

  it('fault 3: takes little memory, holds nobody up and leaves nothing open, however often it happens', async () => {
    const urls = (['ok', 'huge', 'bomb', 'huge-declared', 'redirect', 'cut'] as const).map((mode) => server.url(mode));
    const program = fileURLToPath(new URL('../support/measure-faults.ts', import.meta.url));
    const before = server.requests();
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', program, ...urls]);
    await server.allClosed();
    expect(server.requests()).toBe(before + 66);
    const { grownBytes, p99DelayMs } = JSON.parse(stdout);
    expect(grownBytes).toBeLessThan(50 * MIB);
    // 100 ms on a machine of its own.
    expect(p99DelayMs).toBeLessThan(500);
  });

  it('fault 1: hundreds of faulted calls leave no connection open but those that are kept for the next one', async () => {
    const modes = [
      'hang',
      'drip',
      'bomb',
      'html503',
      'truncated',
      'reset',
      'cut',
      'redirect',
      'status-401',
      'r429',
      'ok',
    ] as const;
    const one = (mode: FaultMode): Promise<unknown> =>
      http.send(requestOf(server.url(mode), { timeoutMs: 100 })).catch(() => undefined);
    for (let round = 0; round < 30; round += 1) await Promise.all(modes.map(one));
    await server.allClosed();
    await expect.poll(() => server.openSockets()).toBeLessThanOrEqual(16);
  });

  it('takes a body of exactly the limit and none that is a byte longer', async () => {
    const { body } = await http.send(requestOf(server.url('ok')));
    await expect(http.send(requestOf(server.url('ok'), { maxBytes: body.length }))).resolves.toMatchObject({ body });
    const error = await failure(http.send(requestOf(server.url('ok'), { maxBytes: body.length - 1 })));
    expect(error.code).toBe('upstream_too_large');
  });

  it.each([
    ['a closed port', 'http://127.0.0.1:1/v3/CANARY'],
    ['a name that does not exist', 'http://no-such-host.invalid/v3/CANARY'],
  ])('%s', async (_, url) => {
    const error = await failure(http.send(requestOf(url, { timeoutMs: 3_000 })));
    expect(error.code).toBe('upstream_unreachable');
    expect(error.message + String(error.cause)).not.toContain('CANARY');
  });

  it('a server that does not speak TLS', async () => {
    const error = await failure(http.send(requestOf(server.url('ok').replace('http:', 'https:'), { timeoutMs: 3_000 })));
    expect(error.code).toBe('upstream_unreachable');
  });
});

describe('a caller who gives up', () => {
  it('is told so at once, and the other side is let go', async () => {
    const controller = new AbortController();
    const sent = failure(http.send(requestOf(server.url('hang'), { signal: controller.signal, timeoutMs: 20_000 })));
    await expect.poll(() => server.openResponses()).toBe(1);
    const startedAt = performance.now();
    controller.abort();
    expect((await sent).code).toBe('upstream_aborted');
    await server.allClosed();
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it('before the call begins sends nothing', async () => {
    const before = server.requests();
    const error = await failure(http.send(requestOf(server.url('ok'), { signal: AbortSignal.abort() })));
    expect(error.code).toBe('upstream_aborted');
    expect(server.requests()).toBe(before);
  });

  it('is everybody once the client is closed', async () => {
    const own = createHttpClient();
    const sent = failure(own.send(requestOf(server.url('hang'), { timeoutMs: 20_000 })));
    await expect.poll(() => server.openResponses()).toBe(1);
    await own.close();
    expect((await sent).code).toBe('upstream_aborted');
    expect((await failure(own.send(requestOf(server.url('ok'))))).code).toBe('upstream_aborted');
    await server.allClosed();
  });
});

it('asks for an unencoded body and sends the user of the URL as credentials', async () => {
  const echo = createServer((request, response) => response.end(JSON.stringify(request.headers))).listen(0, '127.0.0.1');
  await once(echo, 'listening');
  const { port } = echo.address() as AddressInfo;
  const { body } = await http.send(requestOf(`http://us%40er:pass@127.0.0.1:${port}/`, { headers: { 'x-key': 'k' } }));
  expect(JSON.parse(body)).toMatchObject({
    'accept-encoding': 'identity',
    'x-key': 'k',
    authorization: `Basic ${Buffer.from('us@er:pass').toString('base64')}`,
  });
  echo.closeAllConnections();
  echo.close();
});

describe('failedStatus', () => {
  it.each([
    [401, 'upstream_unauthorized'],
    [402, 'upstream_unauthorized'],
    [403, 'upstream_unauthorized'],
    [404, 'upstream_unsupported'],
    [413, 'upstream_too_large'],
    [429, 'upstream_rate_limited'],
    [500, 'upstream_status'],
    [503, 'upstream_status'],
  ])('reads %i as %s', async (status, code) => {
    const url = `${server.url(`status-${status}`)}/v3/CANARY`;
    const error = failedStatus(await http.send(requestOf(url)), url);
    expect(error).toMatchObject({ code, provider: new URL(url).host });
    expect(error?.message).not.toMatch(/CANARY|html/);
  });

  it.each<[FaultMode, number | undefined]>([
    ['r429', undefined],
    ['r429-seconds', 5_000],
    ['r429-3600', 30_000],
    ['r429-0', 0],
    ['r429-garbage', undefined],
    ['r429-negative', undefined],
  ])('of %s asks for a pause of %s ms', async (mode, retryAfterMs) => {
    const error = failedStatus(await http.send(requestOf(server.url(mode))), server.url(mode));
    expect(error).toMatchObject({ code: 'upstream_rate_limited', retryAfterMs });
  });

  it('of a 429 with a date asks for a pause until then', async () => {
    const error = failedStatus(await http.send(requestOf(server.url('r429-date'))), server.url());
    expect(error?.retryAfterMs).toBeGreaterThan(8_000);
    expect(error?.retryAfterMs).toBeLessThanOrEqual(10_000);
  });

  it('is nothing for a good answer', async () => {
    expect(failedStatus(await http.send(requestOf(server.url('ok'))), server.url('ok'))).toBeUndefined();
  });
});

it.each([
  ['Wed, 21 Oct 2015 07:28:10 GMT', 10_000],
  ['Wed, 21 Oct 2015 07:27:00 GMT', 0],
  ['Wed, 21 Oct 2099 07:28:00 GMT', 30_000],
  [' 7 ', 7_000],
  ['1.5', undefined],
  ['1e3', undefined],
  ['99999999999999999999', undefined],
  ['', undefined],
])('parseRetryAfter reads "%s" as %s', (header, waitMs) => {
  const now = Date.parse('2015-10-21T07:28:00Z');
  expect(parseRetryAfter(header, { now })).toBe(waitMs);
  if (waitMs === 30_000) expect(parseRetryAfter(header, { now, maxMs: 60_000 })).toBe(60_000);
});
