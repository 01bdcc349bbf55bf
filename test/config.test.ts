import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, rpcUrlsVariable } from '../src/config.ts';
import { chains } from '../src/domain/chains.ts';

describe('loadConfig', () => {
  it('needs nothing', () => {
    const config = loadConfig({});
    expect(config).toMatchObject({ host: '127.0.0.1', port: 3000, databaseUrl: null, refreshIntervalSeconds: 300 });
    expect(config.priceSources).toEqual(['defillama', 'coingecko', 'chainlink']);
    for (const chain of chains) expect(config.rpcUrls.get(chain.slug)).toEqual(chain.defaultRpcUrls);
    expect(config.secrets).toEqual([]);
  });

  it('keeps what a collector of traces asks for out of the log', () => {
    const { secrets } = loadConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://user:pass-w0rd@otel.example:4318/token-0123456789' });
    expect(secrets).toEqual(['token-0123456789', 'pass-w0rd', 'pass-w0rd']);
  });

  it('uses one Redis for everything unless told otherwise', () => {
    const one = loadConfig({ REDIS_URL: 'redis://:hunter2hunter2@a:6379' });
    expect(one).toMatchObject({ redisCacheUrl: one.redisQueueUrl, redisQueueUrl: 'redis://:hunter2hunter2@a:6379' });
    expect(one.secrets).toContain('hunter2hunter2');
    const two = loadConfig({ REDIS_URL: 'redis://a', REDIS_QUEUE_URL: 'redis://b,redis://c' });
    expect(two).toMatchObject({ redisCacheUrl: 'redis://a', redisQueueUrl: 'redis://b,redis://c' });
  });

  it('reads budgets by host, and ranges of proxies by name', () => {
    const ETHEREUM_RPC_URLS = 'https://a.example/key, https://b.example';
    const config = loadConfig({
      ETHEREUM_RPC_URLS,
      RPC_BUDGETS: 'A.example=10/5000, b.example=/100',
      TRUST_PROXY: 'loopback, 10.1.2.3',
    });
    expect([...config.rpcBudgets]).toEqual([
      ['a.example', { perSecond: 10, perDay: 5000 }],
      ['b.example', { perSecond: null, perDay: 100 }],
    ]);
    expect(config.trustedProxies).toEqual(['127.0.0.0/8', '::1/128', '10.1.2.3']);
  });

  it('takes an empty value as unset', () => {
    expect(loadConfig({ PORT: '', ETHEREUM_RPC_URLS: ' ' }).port).toBe(3000);
  });

  it('reads endpoints in order and keeps their keys for the log to hide', () => {
    const config = loadConfig({
      ETHEREUM_RPC_URLS: 'https://a.example/v3/0123456789abcdef, http://user:hunter2hunter2@b.example',
    });
    expect(config.rpcUrls.get('ethereum')).toHaveLength(2);
    expect(config.secrets).toContain('0123456789abcdef');
    expect(config.secrets).toContain('hunter2hunter2');
  });

  it('reads a secret from a file, and refuses it when both are set', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'chainfolio-config-')), 'key');
    writeFileSync(file, 'cg-secret-key\n');
    expect(loadConfig({ COINGECKO_API_KEY_FILE: file })).toMatchObject({ coingeckoApiKey: 'cg-secret-key' });
    expect(() => loadConfig({ COINGECKO_API_KEY_FILE: file, COINGECKO_API_KEY: 'other' })).toThrow(/not both/);
    expect(() => loadConfig({ COINGECKO_API_KEY_FILE: '/nowhere/key' })).toThrow(/cannot be read/);
  });

  it.each([
    [{ PORT: '99999' }, /^PORT: must be at most 65535$/],
    [{ PORT: '3e3' }, /^PORT: must be a whole number$/],
    [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL: must be a postgres/],
    [{ ETHEREUM_RPC_URLS: 'ftp://x' }, /^ETHEREUM_RPC_URLS: must be an http or https URL$/],
    [{ ETHEREM_RPC_URLS: 'https://x.example' }, /^ETHEREM_RPC_URLS: no chain of this name is known$/],
    [{ PRICE_SOURCES: 'coinbase' }, /^PRICE_SOURCES: must be a comma-separated list out of/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL: /],
    [{ REDIS_URL: 'http://localhost' }, /^REDIS_URL: must be a redis/],
    [{ REDIS_QUEUE_URL: 'redis://a,b' }, /^REDIS_QUEUE_URL: must be a redis/],
    [{ TRUST_PROXY: '10.0.0.0/8, everyone' }, /^TRUST_PROXY: must list addresses/],
    [{ OUTBOUND_ALLOW: 'node.lan:8545, http://nas.lan' }, /^OUTBOUND_ALLOW: must list names, addresses and CIDR ranges/],
    [{ CORS_ORIGINS: 'https://a.example/path' }, /^CORS_ORIGINS: must list origins/],
    [{ RPC_BUDGETS: 'a.example=fast' }, /^RPC_BUDGETS: must be a comma-separated list/],
    [{ RPC_BUDGETS: 'a.example=1' }, /^RPC_BUDGETS: no endpoint is at a.example$/],
    [{ API_KEYS_REQUIRED: 'no' }, /^API_KEYS_REQUIRED: must be true or false$/],
  ])('names what is wrong with %j in one line', (environment, message) => {
    expect(() => loadConfig(environment)).toThrow(message);
  });

  it('names every fault at once, and no value that could be a secret', () => {
    const load = (): unknown => loadConfig({ PORT: 'x', DATABASE_URL: 'mysql://root:hunter2@db', COINGECKO_API_KEY: 'a b' });
    expect(load).toThrow(/PORT: .*\nDATABASE_URL: .*\nCOINGECKO_API_KEY: /);
    expect(load).not.toThrow(/hunter2|a b/);
  });

  it.each([
    [{}, false],
    [{ HOST: 'localhost' }, false],
    [{ HOST: '::1' }, false],
    [{ HOST: '0.0.0.0' }, true],
    [{ HOST: '192.168.1.2' }, true],
    [{ HOST: '127.0.0.1.example' }, true],
    [{ HOST: '0.0.0.0', API_KEYS_REQUIRED: 'false' }, false],
    [{ API_KEYS_REQUIRED: 'true' }, true],
  ])('asks for keys unless it serves this machine alone or was told not to: %j', (environment, keysRequired) => {
    expect(loadConfig(environment)).toMatchObject({ keysRequired });
  });

  it('has every setting in .env.example, and nothing else there', () => {
    const example = readFileSync(new URL('../.env.example', import.meta.url), 'utf8');
    const documented = [...example.matchAll(/^#?([A-Z][A-Z0-9_]*)=/gm)].map((match) => match[1] ?? '').sort();
    const source = readFileSync(new URL('../src/config-schema.ts', import.meta.url), 'utf8');
    const inSchema = [...source.matchAll(/^ {2}([A-Z][A-Z0-9_]*): /gm)].map((match) => match[1] ?? '');
    const secrets = [
      'DATABASE_URL',
      'DATABASE_REPLICA_URL',
      'REDIS_URL',
      'REDIS_CACHE_URL',
      'REDIS_QUEUE_URL',
      'COINGECKO_API_KEY',
    ];
    const withFiles = secrets.map((name) => `${name}_FILE`);
    expect(documented).toEqual([...inSchema, ...withFiles, ...chains.map(rpcUrlsVariable)].sort());
  });
});
