import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { buildWallet, WALLET_ID } from '../support/stub-services.ts';
import { API, converse, countAnswers, cpuMs, dial, head, readProblem, startApi } from './hostile-world.ts';

const READ = `${API}/wallets/${WALLET_ID}`;
/** As in earnest, a hundred times as fast. */
const SHORT = { headersMs: 300, requestMs: 600, leftoverMs: 200, checkMs: 50 };

/** Sends a byte now and then until the other side hangs up. */
async function drip(port: number, start: string, bytes: string): Promise<string> {
  const wire = dial(port);
  wire.socket.write(start);
  for (const byte of bytes) {
    await Promise.race([sleep(40), wire.closed]);
    if (wire.socket.destroyed) break;
    wire.socket.write(byte);
  }
  await wire.closed;
  return wire.heard();
}

describe('a client that is slow on purpose', () => {
  it('with its headers gets a 408 and is cut off', async () => {
    const { port } = await startApi({}, SHORT);
    const answer = await drip(port, `GET ${READ} HTTP/1.1\r\nHost: localhost\r\nX-Slow: `, 'x'.repeat(500));
    expect(readProblem(answer)).toMatchObject({ status: 408, code: 'request_timeout' });
    expect(countAnswers(answer)).toBe(1);
  });

  it('with its body gets a 408 and is cut off', async () => {
    const { port } = await startApi({}, SHORT);
    const start = head('POST', `${API}/wallets`, ['Content-Type: application/json', 'Content-Length: 500']);
    const answer = await drip(port, start, 'x'.repeat(499));
    expect(readProblem(answer)).toMatchObject({ status: 408, code: 'request_timeout' });
    expect(countAnswers(answer)).toBe(1);
  });

  it('with chunks gets a 408 and is cut off', async () => {
    const { port } = await startApi({}, SHORT);
    const start = head('POST', `${API}/wallets`, ['Content-Type: application/json', 'Transfer-Encoding: chunked']);
    expect(readProblem(await drip(port, start, '1\r\n \r\n'.repeat(80))).status).toBe(408);
  });

  it('with a body that nobody wants hears its answer once, and is cut off', async () => {
    const { port } = await startApi({}, SHORT);
    const start = `POST ${API}/nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500\r\n\r\n`;
    const answer = await drip(port, start, 'x'.repeat(499));
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(countAnswers(answer)).toBe(1);
  });

  it('and says nothing at all is cut off', async () => {
    const { port } = await startApi({}, SHORT);
    const wire = dial(port);
    await wire.closed;
    expect(countAnswers(wire.heard())).toBeLessThanOrEqual(1);
  });

  it('keeps nobody else waiting, five hundred at once', async () => {
    const { port } = await startApi();
    const slow = Array.from({ length: 500 }, () => dial(port));
    for (const { socket } of slow) socket.write('GET / HTTP/1.1\r\nX: ');
    expect(await converse(port, head('GET', READ))).toMatch(/^HTTP\/1\.1 200 /);
  });
});

describe('headers', () => {
  it.each([
    ['one that is too long', [`X-Long: ${'x'.repeat(20_000)}`]],
    ['too many', Array.from({ length: 120 }, (_, i) => `X-${i}: a`)],
    ['more than Node reads', Array.from({ length: 2_500 }, (_, i) => `${i}:`)],
    ['many of one name', Array.from({ length: 150 }, () => 'Cookie: a=b')],
  ])('are refused: %s', async (_name, headers) => {
    const { port } = await startApi();
    expect(readProblem(await converse(port, head('GET', READ, headers)))).toMatchObject({
      status: 431,
      code: 'headers_too_large',
    });
  });

  it.each([
    ['two lengths', ['Content-Length: 1', 'Content-Length: 2']],
    ['a length and chunks', ['Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks that are none', ['Transfer-Encoding: xchunked']],
    ['chunks within', ['Transfer-Encoding: chunked, identity']],
    ['a folded line', ['X-Folded: a\r\n b']],
    ['a blank before the colon', ['Content-Length : 5']],
    ['a bare line feed', ['X-One: a\nX-Two: b']],
    ['a zero byte', ['X-Zero: a\0b']],
    ['a length with a sign', ['Content-Length: +5']],
  ])('that two servers could read in two ways are refused: %s', async (_name, headers) => {
    const { port } = await startApi();
    const answer = await converse(port, `${head('POST', `${API}/wallets`, headers)}hello`);
    expect(readProblem(answer)).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(countAnswers(answer)).toBe(1);
  });
});

describe('requests one behind the other', () => {
  it('are all answered, in order, whatever they are', async () => {
    const { port } = await startApi();
    const one = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
    const text = [one(READ), one(`${API}/nowhere`), one(`${READ}?a=1`), head('GET', READ)].join('');
    const statuses = [...(await converse(port, text)).matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '404', '400', '200']);
  });

  it('by the thousand take their turns and hold up nobody', async () => {
    const { port } = await startApi({ wallets: { get: async () => buildWallet() } });
    const wire = dial(port);
    let answer = '';
    const spentMs = await cpuMs(async () => {
      wire.socket.write(`GET ${READ} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(5_000));
      answer = await converse(port, head('GET', READ));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 (200|429|503) /);
    expect(spentMs).toBeLessThan(20_000);
  });
});

describe('no answer tells how the service is built', () => {
  it.each([
    ['a fault of ours', 'GET', READ, 500],
    ['a path that cannot be decoded', 'GET', `${API}/wallets/%E0%A4%A`, 400],
    ['a path that climbs', 'GET', `${API}/../../etc/passwd`, 404],
    ['a path that climbs in disguise', 'GET', '/docs/..%2f..%2fpackage.json', 404],
    ['a tracing request', 'TRACE', READ, 405],
    ['a method that nobody knows', 'PURGE', READ, 405],
    ['a tunnel', 'OPTIONS', '*', 404],
  ])('%s', async (_name, method, path, status) => {
    const broken = { wallets: { get: async () => Promise.reject(new Error('secret at /srv/app.ts:12')) } };
    const { port } = await startApi(broken);
    const answer = await converse(port, head(method, path));
    expect(readProblem(answer).status).toBe(status);
    expect(answer).not.toMatch(/secret|\.[jt]s:\d+|node_modules|at \w+ \(|stack|Express/);
    expect(answer).not.toMatch(/^(Server|X-Powered-By):/im);
  });
});
