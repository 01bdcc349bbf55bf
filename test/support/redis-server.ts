import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { requireProgram } from './debian-package.ts';

/** A real Redis of a suite's own, which can be frozen, killed, restarted and emptied. */
export type RedisServer = {
  readonly url: string;
  readonly port: number;
  /** A plain connection, for looking and for breaking things. It is closed with the server. */
  readonly admin: Redis;
  /** Stops the process where it stands: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** `kill -9`. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with what the append-only file holds. Resolves when it answers. */
  restart(): Promise<void>;
  close(): Promise<void>;
};

type RedisServerOptions = {
  /** Further arguments: `['--maxmemory', '3mb']`. */
  readonly args?: readonly string[];
};

/** Starts `redis-server` on a free port and waits until it answers. */
export async function startRedisServer({ args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  await requireProgram('redis-server', 'redis-server');
  const dir = mkdtempSync(join(tmpdir(), 'chainfolio-redis-'));
  const port = await findFreePort();
  let process = await launch({ dir, port, args });
  const url = `redis://127.0.0.1:${port}`;
  const admin = new Redis(url, { lazyConnect: true, retryStrategy: () => 50, maxRetriesPerRequest: null });
  admin.on('error', () => undefined);
  await admin.ping();
  const kill = async (): Promise<void> => {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
  };
  return {
    url,
    port,
    admin,
    freeze: () => void process.kill('SIGSTOP'),
    thaw: () => void process.kill('SIGCONT'),
    kill,
    async restart() {
      await kill();
      process = await launch({ dir, port, args });
      await admin.ping();
    },
    async close() {
      admin.disconnect();
      await kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Starts the process; resolves when it says that it takes connections. */
async function launch({ dir, port, args }: { dir: string; port: number; args: readonly string[] }): Promise<ChildProcess> {
  const basics = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '', '--appendonly', 'yes'];
  const child = spawn('redis-server', [...basics, '--appendfsync', 'always', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const ready = Promise.withResolvers<void>();
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
    if (output.includes('Ready to accept connections')) ready.resolve();
  });
  child.once('error', ready.reject);
  child.once('exit', () => ready.reject(new Error(`redis-server ended: ${output}`)));
  await ready.promise;
  child.stdout.removeAllListeners('data').resume();
  return child;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
