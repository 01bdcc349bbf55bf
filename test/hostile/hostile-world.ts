import { connect, type Socket } from 'node:net';
import { afterAll, onTestFinished } from 'vitest';
import { createHttpServer, type HttpServer } from '../../src/api/http-server.ts';
import { type Problem, problemSchema } from '../../src/api/schemas/problem.ts';
import { createServer } from '../../src/api/server.ts';
import { buildServerDeps, buildWallet, type ServiceStubs } from '../support/stub-services.ts';

type ServerOptions = Parameters<typeof createHttpServer>[0];

export const API = '/api/v1';

const started: HttpServer[] = [];
afterAll(async () => {
  await Promise.all(started.map((server) => server.stop()));
});

let plain: Promise<{ port: number }> | undefined;

/** The API as it listens, with a wallet to read and to add: the same for all tests of a file that ask for nothing special. */
export function startApi(stubs?: ServiceStubs, timeLimits?: ServerOptions['timeLimits']): Promise<{ port: number }> {
  if (stubs !== undefined) return listen(stubs, timeLimits);
  plain ??= listen({}, undefined);
  return plain;
}

async function listen(stubs: ServiceStubs, timeLimits: ServerOptions['timeLimits']): Promise<{ port: number }> {
  const wallets = {
    get: async () => buildWallet(),
    add: async () => ({ wallet: buildWallet(), created: true }),
    addMany: async (_tenant: string, inputs: readonly unknown[]) => inputs.map(() => ({ wallet: buildWallet(), created: true })),
  };
  const app = createServer(buildServerDeps({ wallets, ...stubs }));
  const limits = timeLimits === undefined ? {} : { timeLimits };
  const server = createHttpServer({ app, host: '127.0.0.1', port: 0, deadlineMs: 500, ...limits });
  started.push(server);
  return server.listen();
}

/** A connection that tells what it has heard so far. */
export type Wire = { readonly socket: Socket; heard(): string; closed: Promise<void> };

export function dial(port: number): Wire {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (part) => {
    text += part;
  });
  // A server that hangs up while we send is what many of these tests ask for.
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
  return { socket, heard: () => text, closed };
}

/** Sends these bytes and hears all that is said until the server hangs up. */
export async function converse(port: number, text: string): Promise<string> {
  const wire = dial(port);
  wire.socket.write(text);
  await wire.closed;
  return wire.heard();
}

/** The head of a request that closes its connection. */
export function head(method: string, path: string, headers: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', 'Connection: close', ...headers, '', ''].join('\r\n');
}

export function postJson(path: string, json: string): string {
  return `${head('POST', API + path, ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(json)}`])}${json}`;
}

/** The one problem document that an answer is, by its own length. */
export function readProblem(answer: string): Problem {
  const [, body = ''] = answer.split('\r\n\r\n');
  return problemSchema.parse(JSON.parse(body));
}

export function countAnswers(text: string): number {
  return text.match(/HTTP\/1\.1 \d{3} /g)?.length ?? 0;
}

/** What `work` costs this process, client and all: it is the same on a machine that has other things to do. */
export async function cpuMs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
