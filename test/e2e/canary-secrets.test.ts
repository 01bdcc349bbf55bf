import { hash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { writeKey } from '../../src/domain/api-key.ts';
import { DEFAULT_TENANT_ID } from '../../src/domain/tenant.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { type RpcProxy, startRpcProxy } from '../support/rpc-proxy.ts';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

/** Every secret holds this word, so that finding it anywhere is finding a leak. */
const MARK = 'CANARY';
const PATH_KEY = `${MARK}path0123456789`;
const QUERY_KEY = `${MARK}query0123456789`;
const GOOD_KEY = `${MARK}good0123456789`;
const LOGIN = `${MARK}login0123456789`;
const API_KEY = `${MARK}api0123456789`;
const DATABASE_PASSWORD = `${MARK}db/p@ss:word`;
const QUEUE_PASSWORD = `${MARK}queue-password`;
const CACHE_PASSWORD = `${MARK}cache-password`;
/** Of the service itself: one that opens it, and one that does not. */
const CLIENT_KEY = { id: 'goodgoodgood', secret: `${MARK}${'k'.repeat(43 - MARK.length)}` };
const WRONG_KEY = writeKey({ ...CLIENT_KEY, secret: CLIENT_KEY.secret.replaceAll('k', 'w') });

type Reflector = { readonly server: Server; readonly url: string; readonly seen: readonly string[] };

/** An endpoint that answers with an error that quotes everything it was sent. */
async function startReflector(): Promise<Reflector> {
  const seen: string[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    seen.push(`${request.url} ${JSON.stringify(request.headers)}`);
    const quoted = `refused ${request.url} ${JSON.stringify(request.headers)} ${body}`;
    if (request.url?.startsWith('/html')) {
      response.writeHead(503, { 'Content-Type': 'text/html', 'X-Quoted': String(request.url) }).end(`<p>${quoted}</p>`);
      return;
    }
    const fail = ({ id }: { id: unknown }) => ({ jsonrpc: '2.0', id, error: { code: -32000, message: quoted, data: quoted } });
    const call = body === '' ? { id: null } : JSON.parse(body);
    const answer = Array.isArray(call) ? call.map(fail) : fail(call);
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, seen, url: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('a service with a secret in every setting that can hold one', () => {
  let database: TestDatabase;
  let chain: LocalChain;
  let proxy: RpcProxy;
  let queue: RedisServer;
  let cache: RedisServer;
  let collector: OtlpReceiver;
  let reflector: Reflector;
  let environment: Readonly<Record<string, string>>;
  let service: ServiceProcess;
  const answers: string[] = [];

  beforeAll(async () => {
    [database, chain, queue, cache, collector, reflector] = await Promise.all([
      createTestDatabase(),
      startLocalChain({ chainId: 1 }),
      startRedisServer(),
      startRedisServer(),
      startOtlpReceiver(),
      startReflector(),
    ]);
    proxy = await startRpcProxy(chain.rpcUrl);
    await addClientKey(database);
    await lock();
    environment = isolatedEnvironment({
      LOG_LEVEL: 'trace',
      EMBEDDED_WORKER: 'true',
      API_KEYS_REQUIRED: 'true',
      RATE_LIMIT_PER_MINUTE: '100000',
      DATABASE_URL: await addRole(database.url),
      REDIS_QUEUE_URL: withPassword(queue.url, QUEUE_PASSWORD),
      REDIS_CACHE_URL: withPassword(cache.url, CACHE_PASSWORD),
      ETHEREUM_RPC_URLS: [
        `http://${reflector.url}/v3/${PATH_KEY}`,
        `http://${reflector.url}/html?api-key=${QUERY_KEY}`,
        `http://user:${LOGIN}@127.0.0.1:9/`,
        `${proxy.url}/v2/${GOOD_KEY}`,
      ].join(),
      SOLANA_RPC_URLS: `http://${reflector.url}/${PATH_KEY}/?key=${QUERY_KEY}`,
      COINGECKO_URL: `http://${reflector.url}/html`,
      COINGECKO_API_KEY: API_KEY,
      DEFILLAMA_URL: `http://${reflector.url}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
    });
    service = await startServiceProcess({ environment });
  }, 120_000);
  afterAll(async () => {
    await service?.kill();
    reflector.server.closeAllConnections();
    await Promise.all([chain.stop(), proxy.close(), queue.close(), cache.close(), collector.close(), reflector.server.close()]);
    await database.close();
  });

  async function call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { 'X-API-Key': writeKey(CLIENT_KEY), ...init.headers };
    const answer = await fetch(service.url + path, { ...init, headers });
    const text = await answer.text();
    answers.push(`${path.split('?')[0]} ${answer.status} ${JSON.stringify([...answer.headers])} ${text}`);
    return answer;
  }
  const post = (path: string, body: string): Promise<Response> =>
    call(path, { method: 'POST', body, headers: { 'Content-Type': 'application/json', Prefer: 'wait=20' } });

  /** A restart forgets the passwords. */
  async function lock(): Promise<void> {
    await queue.admin.config('SET', 'requirepass', QUEUE_PASSWORD);
    await cache.admin.config('SET', 'requirepass', CACHE_PASSWORD);
  }

  async function useEverything(): Promise<void> {
    await post('/api/v1/wallets', '{"address":"0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045"}');
    await post('/api/v1/wallets', '{"address":"4Nd1mBQtrMJVYVfKf2PJy9NZUZdTAsp7D4xWLs4gDB4T"}');
    await post('/api/v1/wallets', '{"address":"vitalik.eth"}');
    await post('/api/v1/assets', '{"chain":"ethereum","address":"0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"}');
    await post('/api/v1/portfolio/refresh', '{}');
    await post('/api/v1/wallets', '{');
    const statuses = [
      await call('/api/v1/wallets', { headers: { 'X-API-Key': WRONG_KEY } }),
      await call('/api/v1/wallets', { headers: { 'X-API-Key': `${WRONG_KEY}x` } }),
      await call(`/api/v1/wallets?key=${WRONG_KEY}`),
    ].map(({ status }) => status);
    expect(statuses).toEqual([401, 401, 401]);
    for (const path of [
      'portfolio',
      'wallets',
      'assets',
      'chains',
      'providers',
      'health',
      'metrics',
      'nowhere',
      'openapi.json',
    ]) {
      await call(`/api/v1/${path}`);
    }
    for (const path of ['/metrics', '/health/ready', '/health/live', '/health/startup', '/docs', '/docs/errors', '/x']) {
      await call(path);
    }
  }

  it('tells none of them to its log, its clients, its metrics or its collector, whatever fails', async () => {
    await useEverything();
    expect(proxy.calls.length).toBeGreaterThan(0);
    for (const secret of [PATH_KEY, QUERY_KEY, API_KEY]) expect(reflector.seen.join('\n')).toContain(secret);
    await Promise.all([queue.kill(), cache.kill()]);
    await endConnections(database.url);
    await useEverything();
    await Promise.all([queue.restart(), cache.restart()]);
    await lock();
    cache.freeze();
    await useEverything();
    cache.thaw();
    const hasSpan = (start: string): boolean => collector.spans().some(({ name }) => name.startsWith(start));
    for (const name of ['POST 127.0.0.1', 'GET /api/v1/portfolio', 'job ']) {
      await expect.poll(() => hasSpan(name), { timeout: 60_000 }).toBe(true);
    }
    await service.stop();

    const log = service.lines.join('\n');
    for (const [place, text] of Object.entries({ log, answers: answers.join('\n'), traces: collector.text() })) {
      expect(text.length, place).toBeGreaterThan(1_000);
      const at = text.indexOf(MARK);
      expect(at === -1 ? '' : text.slice(Math.max(0, at - 200), at + 100), place).toBe('');
    }
  }, 180_000);

  it.each([
    ['DATABASE_URL', `postgres://user:${LOGIN}@127.0.0.1:9/database`],
    ['DATABASE_URL', `mysql://user:${LOGIN}@127.0.0.1:9/database`],
    ['REDIS_QUEUE_URL', `http://:${QUEUE_PASSWORD}@127.0.0.1:9`],
    ['ETHEREUM_RPC_URLS', `ftp://127.0.0.1/${PATH_KEY}`],
    ['COINGECKO_API_KEY', `${API_KEY} with spaces`],
  ])(
    'does not tell them when %s keeps it from starting',
    async (name, value) => {
      const { code, output } = await runScript('main', { environment: { ...environment, [name]: value } });
      expect(code).toBe(1);
      expect(output).toContain(name);
      expect(output).not.toContain(MARK);
    },
    60_000,
  );
});

async function addClientKey({ db }: TestDatabase): Promise<void> {
  const { id, secret } = CLIENT_KEY;
  const row = { tenant_id: DEFAULT_TENANT_ID, id, name: 'canary', scopes: ['admin' as const], expires_at: null };
  await db
    .insertInto('api_keys')
    .values({ ...row, secret_hash: hash('sha256', secret, 'buffer') })
    .execute();
}

function withPassword(url: string, password: string): string {
  const parsed = new URL(url);
  parsed.password = encodeURIComponent(password);
  return parsed.href;
}

/** A login with a password that a URL has to escape, and all rights that the service needs. */
async function addRole(url: string): Promise<string> {
  const client = new pg.Client(url);
  await client.connect();
  const role = `canary_${process.pid}_${Date.now()}`;
  await client.query(`create role ${role} superuser login password ${pg.escapeLiteral(DATABASE_PASSWORD)}`);
  await client.end();
  const parsed = new URL(url);
  parsed.username = role;
  parsed.password = encodeURIComponent(DATABASE_PASSWORD);
  return parsed.href;
}

async function endConnections(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  );
  await client.end();
}
