import { afterEach, beforeEach, expect, it } from 'vitest';
import { closeRedis, createRedis, type RedisClient } from '../../src/lib/redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';

let server: RedisServer;
let client: RedisClient;
const warnings: string[] = [];
const log = { warn: (_details: object, message: string) => void warnings.push(message) };

/** Unlike `once` of node:events it is no failure that an error comes first. */
const next = (event: 'ready' | 'close'): Promise<void> => new Promise((resolve) => client.once(event, resolve));

beforeEach(async () => {
  warnings.length = 0;
  server = await startRedisServer();
  client = createRedis({ url: server.url, name: 'test', log, commandTimeoutMs: 150 });
  await next('ready');
});
afterEach(async () => {
  server.thaw();
  await closeRedis(client);
  await server.close();
});

it('gives up on a frozen server in the time it was given', async () => {
  server.freeze();
  const startedAt = performance.now();
  await expect(client.get('key')).rejects.toThrow(/timed out/);
  expect(performance.now() - startedAt).toBeLessThan(1_500);
});

it('fails at once while the server is gone, says so once, and works again when it is back', async () => {
  await client.set('key', 'value');
  const closed = next('close');
  await server.kill();
  await closed;
  await expect(client.get('key')).rejects.toThrow();
  const ready = next('ready');
  await server.restart();
  await ready;
  await expect(client.get('key')).resolves.toBe('value');
  expect(warnings.length).toBeLessThanOrEqual(1);
});

it('never sends a command twice', async () => {
  server.freeze();
  await expect(client.incr('count')).rejects.toThrow();
  const ready = next('ready');
  await server.restart();
  await ready;
  await expect(client.get('count')).resolves.toBeNull();
});

it('makes a connection anew on which nothing arrives any more', async () => {
  const proxy = await startTcpProxy(server.url);
  await closeRedis(client);
  client = createRedis({ url: proxy.url, name: 'test', log, commandTimeoutMs: 150 });
  await next('ready');
  proxy.loseAnswers();
  const [closed, ready] = [next('close'), next('ready')];
  await expect(client.get('key')).rejects.toThrow(/timed out/);
  await closed;
  proxy.resume();
  await ready;
  await expect(client.set('key', 'value')).resolves.toBe('OK');
  await closeRedis(client);
  await proxy.close();
});

it('ends in time although the server is frozen', async () => {
  server.freeze();
  const startedAt = performance.now();
  await closeRedis(client);
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
