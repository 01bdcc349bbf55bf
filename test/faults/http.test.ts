import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type FaultServer, startFaultServer } from '../../localnet/fault-server.ts';
import { problemSchema } from '../../src/api/schemas/problem.ts';
import { isolatedEnvironment, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MIB = 1024 * 1024;
const POST_HEAD = 'POST /api/v1/wallets HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';

let database: TestDatabase;
let service: ServiceProcess;
let chain: LocalChain;
let endpoint: FaultServer;
beforeAll(async () => {
  [database, chain] = await Promise.all([createTestDatabase(), startLocalChain({ chainId: 1 })]);
  endpoint = await startFaultServer({ upstreamUrl: chain.rpcUrl });
  service = await startServiceProcess({
    environment: isolatedEnvironment({
      DATABASE_URL: database.url,
      ETHEREUM_RPC_URLS: endpoint.url(),
      RATE_LIMIT_PER_MINUTE: '0',
    }),
  });
});
afterAll(async () => {
  await service.kill();
  await Promise.all([endpoint.close(), chain.stop(), database.close()]);
});

function open(): Socket {
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
  // A reset in the middle of writing is one of the answers.
  socket.on('error', () => undefined);
  return socket;
}

/** Writes the parts, each as soon as the one before is taken, and gives what the server says until it hangs up. */
async function converse(parts: Iterable<string>): Promise<string> {
  const socket = open();
  let answer = '';
  socket.on('data', (part) => {
    answer += part;
  });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  for (const part of parts) {
    if (socket.destroyed || answer !== '') break;
    if (!socket.write(part)) await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
  }
  await closed;
  return answer;
}

function readProblem(answer: string): unknown {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toContain('application/problem+json');
  return problemSchema.parse(JSON.parse(body));
}

/** The longest that a request of somebody else takes while `work` goes on. */
async function longestWaitDuring(work: Promise<unknown>): Promise<number> {
  let isOver = false;
  void work.finally(() => {
    isOver = true;
  });
  let longest = 0;
  do {
    const startedAt = performance.now();
    expect((await fetch(`${service.url}/health/live`)).status).toBe(200);
    longest = Math.max(longest, performance.now() - startedAt);
  } while (!isOver);
  return longest;
}

/** The status of an attempt to follow a name, which has no address. */
async function addName(address: string): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${service.url}/api/v1/wallets`, { method: 'POST', headers, body: JSON.stringify({ address }) });
  await answer.arrayBuffer();
  return answer.status;
}

describe('fault 44: a client goes away', () => {
  it('fault 44: what is asked of a chain for it is given up at once, and the next one is served as ever', async () => {
    // The endpoint is known to be ours before it hangs.
    expect(await addName('warm.eth')).toBe(422);
    endpoint.setMode('hang');
    const times: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const socket = open();
      const body = JSON.stringify({ address: `name-${round}.eth` });
      const before = endpoint.openResponses();
      socket.write(`${POST_HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
      await expect.poll(() => endpoint.openResponses(), { timeout: 20_000, interval: 1 }).toBeGreaterThan(before);
      const startedAt = performance.now();
      socket.destroy();
      await expect.poll(() => endpoint.openResponses(), { timeout: 20_000, interval: 1 }).toBeLessThanOrEqual(before);
      times.push(performance.now() - startedAt);
    }
    // 100 ms on a machine of its own; now and then the service's own look at the endpoint is what is still open.
    expect(times.toSorted((a, b) => a - b)[15]).toBeLessThan(500);
    endpoint.setMode('ok');
    await expect.poll(() => addName('cold.eth'), { timeout: 60_000 }).toBe(422);
  }, 60_000);
});

describe('fault 45: a hostile client', { concurrent: true, timeout: 90_000 }, () => {
  it('fault 45: that never ends its headers is hung up on', async () => {
    const answer = await converse([`${POST_HEAD}X-Slow: `]);
    expect(answer).toMatch(/^HTTP\/1.1 408/);
    expect(readProblem(answer)).toMatchObject({ code: 'request_timeout' });
  });

  it('fault 45: with headers or a path of megabytes gets a 431', async () => {
    for (const start of ['GET /api/v1/chains HTTP/1.1\r\nHost: a\r\nX: ', 'GET /']) {
      const answer = await converse(headThen(start, endless(32)));
      // The rest of it may be on the way when the connection is reset.
      if (answer !== '') expect(readProblem(answer)).toMatchObject({ status: 431, code: 'headers_too_large' });
    }
  });

  it('fault 45: with a body of 1 GB, declared or not, is refused without reading it, and delays nobody', async () => {
    const before = service.rssBytes();
    const declared = converse(headThen(`${POST_HEAD}Content-Length: 1000000000\r\n\r\n`, endless(2_000)));
    const chunked = converse(headThen(`${POST_HEAD}Transfer-Encoding: chunked\r\n\r\n`, chunks(2_000)));
    const waited = await longestWaitDuring(Promise.all([declared, chunked]));
    for (const answer of await Promise.all([declared, chunked])) {
      if (answer !== '') expect(readProblem(answer)).toMatchObject({ status: 413, code: 'payload_too_large' });
    }
    expect(waited).toBeLessThan(2_000);
    expect(service.rssBytes() - before).toBeLessThan(150 * MIB);
  });

  it.each([
    ['10,000 levels deep', `{"address":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
    ['with 100,000 keys', `{${Array.from({ length: 100_000 }, (_, n) => `"${n}":0`).join()}}`],
    ['with a million numbers', `{"address":[${'0,'.repeat(450_000)}0]}`],
  ])('fault 45: with JSON %s gets a 4xx, and delays nobody', async (_, body) => {
    const send = fetch(`${service.url}/api/v1/wallets`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    expect(await longestWaitDuring(send)).toBeLessThan(2_000);
    const answer = await send;
    expect([400, 413]).toContain(answer.status);
    expect(problemSchema.parse(await answer.json())).toBeDefined();
  });
});

function* endless(count: number): Generator<string> {
  for (let n = 0; n < count; n += 1) yield 'x'.repeat(64 * 1024);
}

function* chunks(count: number): Generator<string> {
  for (const text of endless(count)) yield `${text.length.toString(16)}\r\n${text}\r\n`;
}

function* headThen(head: string, parts: Iterable<string>): Generator<string> {
  yield head;
  yield* parts;
}
