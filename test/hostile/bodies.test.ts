import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WALLET_ID } from '../support/stub-services.ts';
import { API, converse, countAnswers, cpuMs, dial, head, postJson, readProblem, startApi } from './hostile-world.ts';

const MB = 1024 * 1024;
const JSON_HEAD = ['Content-Type: application/json'];

describe('a body of JSON', () => {
  it.each([
    ['brackets', '['.repeat(MB - 100), 'invalid_json'],
    ['braces', '{"a":'.repeat(100_000), 'invalid_json'],
    ['well-formed nesting', `{"address":${'['.repeat(20)}${']'.repeat(20)}}`, 'invalid_json'],
    ['a million values', `{"wallets":[${'0,'.repeat(400_000)}0]}`, 'invalid_json'],
    ['a million names', `{${'"":0,'.repeat(150_000)}"a":0}`, 'invalid_json'],
    ['no end', '{"address":"', 'invalid_json'],
    ['a name of the language', '{"__proto__":{"admin":true},"address":"a"}', 'invalid_request'],
    ['a constructor', '{"constructor":{"prototype":{"admin":true}},"address":"a"}', 'invalid_request'],
    ['many items', `{"wallets":[${'{"address":"a"},'.repeat(10_000)}{"address":"a"}]}`, 'invalid_request'],
    ['many unknown fields', `{${Array.from({ length: 40_000 }, (_, i) => `"f${i}":0`)},"address":"a"}`, 'invalid_request'],
    ['a long text', `{"address":"${'\\u0000'.repeat(150_000)}"}`, 'invalid_request'],
    ['a long number', `{"address":${'9'.repeat(900_000)}}`, 'invalid_request'],
    ['lone surrogates', '{"address":"\\ud800"}', null],
  ])('of %s is refused in good time and leaves nothing behind', async (_name, json, code) => {
    const { port } = await startApi();
    const path = json.startsWith('{"wallets"') ? '/wallets/bulk' : '/wallets';
    let answer = '';
    const spentMs = await cpuMs(async () => {
      answer = await converse(port, postJson(path, json));
    });
    if (code === null) expect(answer).toMatch(/^HTTP\/1\.1 (201|400)/);
    else expect(readProblem(answer)).toMatchObject({ status: 400, code });
    expect(readProblemSize(answer)).toBeLessThan(20_000);
    expect(spentMs).toBeLessThan(5_000);
    expect({}).not.toHaveProperty('admin');
  });

  it.each(['utf-16', 'utf-32', 'latin1', 'utf-7'])('in %s is refused', async (charset) => {
    const { port } = await startApi();
    const headers = [`Content-Type: application/json; charset=${charset}`, 'Content-Length: 2'];
    const answer = await converse(port, `${head('POST', `${API}/wallets`, headers)}{}`);
    expect(readProblem(answer)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'identity, gzip'])(
    'packed as %s is refused unread: it could be a bomb',
    async (encoding) => {
      const { port } = await startApi();
      const headers = [...JSON_HEAD, `Content-Encoding: ${encoding}`, 'Content-Length: 2'];
      expect(readProblem(await converse(port, `${head('POST', `${API}/wallets`, headers)}{}`)).status).toBe(415);
    },
  );
});

describe('a body without end', () => {
  it('of a length that is too much to begin with is refused before any of it comes', async () => {
    const { port } = await startApi();
    const answer = await converse(port, head('POST', `${API}/wallets`, [...JSON_HEAD, `Content-Length: ${1024 * MB}`]));
    expect(readProblem(answer)).toMatchObject({ status: 413, code: 'payload_too_large' });
  });

  it.each([
    ['a route that reads it', 'POST', '/wallets', 413],
    ['a route that takes none', 'GET', `/wallets/${WALLET_ID}`, 200],
    ['no route at all', 'POST', '/nowhere', 404],
  ])('in chunks, to %s, is cut off soon', async (_name, method, path, status) => {
    const { port } = await startApi({}, { headersMs: 15_000, requestMs: 30_000, leftoverMs: 300, checkMs: 5_000 });
    const wire = dial(port);
    const headers = ['Host: localhost', ...JSON_HEAD, 'Transfer-Encoding: chunked'];
    wire.socket.write(`${[`${method} ${API}${path} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`);
    const chunk = `10000\r\n${'x'.repeat(65_536)}\r\n`;
    let sent = 0;
    const send = (): void => {
      if (wire.socket.destroyed) return;
      sent += chunk.length;
      if (wire.socket.write(chunk)) setImmediate(send);
      else wire.socket.once('drain', send);
    };
    send();
    await wire.closed;
    // The answer may be lost to a client that never stops to listen.
    if (wire.heard() !== '') expect(wire.heard()).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(sent).toBeLessThan(1024 * MB);
  });

  it('of chunks that are all extension is refused', async () => {
    const { port } = await startApi();
    const text = `${head('POST', `${API}/wallets`, [...JSON_HEAD, 'Transfer-Encoding: chunked'])}1;${'x'.repeat(40_000)}`;
    expect(await converse(port, text)).toMatch(/^HTTP\/1\.1 (400|413|431) /);
  });

  it('of a hundred thousand chunks of one byte is one body', async () => {
    const { port } = await startApi();
    const text = `${head('POST', `${API}/wallets`, [...JSON_HEAD, 'Transfer-Encoding: chunked'])}${'1\r\n \r\n'.repeat(100_000)}0\r\n\r\n`;
    let answer = '';
    const spentMs = await cpuMs(async () => {
      answer = await converse(port, text);
    });
    expect(readProblem(answer).status).toBe(400);
    expect(spentMs).toBeLessThan(5_000);
  });

  it('that ends too soon is nobody’s fault but the client’s', async () => {
    const { port } = await startApi();
    const wire = dial(port);
    wire.socket.write(`${head('POST', `${API}/wallets`, [...JSON_HEAD, 'Content-Length: 100'])}{"address"`);
    await once(wire.socket, 'ready');
    wire.socket.end();
    await wire.closed;
    expect(wire.heard()).not.toMatch(/^HTTP\/1\.1 5/);
    expect(countAnswers(wire.heard())).toBeLessThanOrEqual(1);
  });
});

function readProblemSize(answer: string): number {
  return (answer.split('\r\n\r\n')[1] ?? '').length;
}
