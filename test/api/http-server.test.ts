import { once } from 'node:events';
import { Agent, request as httpRequest, type RequestListener } from 'node:http';
import { type AddressInfo, connect, createServer as createNetServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { answerClientError } from '../../src/api/client-error.ts';
import { createHttpServer, type HttpServer } from '../../src/api/http-server.ts';
import { problemSchema } from '../../src/api/schemas/problem.ts';
import { createServer } from '../../src/api/server.ts';
import { StartupError } from '../../src/lib/startup-error.ts';
import { buildServerDeps } from '../support/stub-services.ts';

const started: HttpServer[] = [];
const agents: Agent[] = [];

afterEach(async () => {
  for (const agent of agents.splice(0)) agent.destroy();
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function start(app: RequestListener = createServer(buildServerDeps()), deadlineMs = 2_000) {
  const server = createHttpServer({ app, host: '127.0.0.1', port: 0, deadlineMs });
  started.push(server);
  return { server, ...(await server.listen()) };
}

/** Everything the server says to these bytes until it hangs up. */
async function converse(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  return readAll(socket);
}

async function readAll(socket: Socket): Promise<string> {
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk;
  });
  await once(socket, 'close');
  return answer;
}

function readProblem(answer: string) {
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toContain('Content-Type: application/problem+json');
  expect(Number(/Content-Length: (\d+)/.exec(head)?.[1])).toBe(Buffer.byteLength(body));
  return problemSchema.parse(JSON.parse(body));
}

describe('what Node’s parser refuses', () => {
  it.each([
    ['nonsense\r\n\r\n', 400, 'invalid_request'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n', 400, 'invalid_request'],
    ['GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'invalid_request'],
    [`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
    [`GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: a\r\n\r\n`, 431, 'headers_too_large'],
  ])('is answered with a problem: %.30j', async (text, status, code) => {
    const { port } = await start();
    const answer = await converse(port, text);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} [A-Z]`));
    expect(readProblem(answer)).toMatchObject({ status, code });
  });

  it('is a 408 when the request is too slow', async () => {
    const server = createNetServer((socket) => {
      answerClientError(Object.assign(new Error('slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const answer = await converse((server.address() as AddressInfo).port, '');
    server.close();
    expect(readProblem(answer)).toMatchObject({ status: 408, code: 'request_timeout' });
  });

  it('includes HTTP/1.1 without a host, but not HTTP/1.0', async () => {
    const { port } = await start();
    const answer = await converse(port, 'GET /api/v1/chains HTTP/1.1\r\nConnection: close\r\n\r\n');
    expect(readProblem(answer)).toMatchObject({ status: 400, detail: 'HTTP/1.1 requests name their host.' });
    expect(await converse(port, 'GET /api/v1/chains HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200/);
  });

  it('includes no expectation that is merely unknown', async () => {
    const { port } = await start();
    const text = 'GET /api/v1/chains HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nConnection: close\r\n\r\n';
    expect(await converse(port, text)).toMatch(/^HTTP\/1.1 200/);
  });
});

describe('listening', () => {
  it('says in one line that the port is taken', async () => {
    const { port } = await start();
    const second = createHttpServer({ app: () => undefined, host: '127.0.0.1', port, deadlineMs: 100 });
    await expect(second.listen()).rejects.toThrow(new StartupError(`PORT: another process listens on 127.0.0.1:${port} already`));
    await second.stop();
  });
});

describe('stopping', () => {
  function get(
    port: number,
    agent: Agent,
  ): Promise<{ status: number | undefined; connection: string | undefined; text: string }> {
    return new Promise((resolve, reject) => {
      httpRequest({ port, host: '127.0.0.1', agent, path: '/' }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode, connection: response.headers.connection, text }));
      })
        .on('error', reject)
        .end();
    });
  }

  function keepAlive(): Agent {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    agents.push(agent);
    return agent;
  }

  it('lets a request in flight end, tells it to hang up, and takes no new one', async () => {
    const entered = Promise.withResolvers<() => void>();
    const { server, port } = await start((_request, response) => entered.resolve(() => response.end('whole')));
    const pending = get(port, keepAlive());
    const finish = await entered.promise;

    const stopped = server.stop();
    setTimeout(finish, 400);
    expect(await pending).toEqual({ status: 200, connection: 'close', text: 'whole' });
    await stopped;
    await expect(get(port, keepAlive())).rejects.toThrow('ECONNREFUSED');
  });

  it('answers what is on its way on a kept connection, then closes it', async () => {
    const { server, port } = await start((_request, response) => response.end('ok'));
    const agent = keepAlive();
    expect((await get(port, agent)).connection).toBe('keep-alive');
    const stopped = server.stop();
    expect(await get(port, agent)).toMatchObject({ status: 200, connection: 'close' });
    await stopped;
  });

  it('closes idle connections instead of waiting for their 75 seconds', async () => {
    const { server, port } = await start((_request, response) => response.end('ok'));
    await get(port, keepAlive());
    const startedAt = performance.now();
    await server.stop();
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  it('cuts what goes on after the deadline', async () => {
    const entered = Promise.withResolvers<void>();
    const { server, port } = await start(() => entered.resolve(), 300);
    const pending = get(port, keepAlive()).catch((error: Error) => error.message);
    await entered.promise;
    await server.stop();
    expect(await pending).toBe('socket hang up');
  });

  it('may be asked for twice, and before listening', async () => {
    const { server } = await start();
    await Promise.all([server.stop(), server.stop()]);
    await createHttpServer({ app: () => undefined, host: '127.0.0.1', port: 0, deadlineMs: 100 }).stop();
  });
});
