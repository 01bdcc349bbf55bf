import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';
import { environmentSchema, type PRICE_SOURCE_IDS, type RpcBudget, urlList } from './config-schema.ts';
import type { Chain } from './domain/chain.ts';
import { chains } from './domain/chains.ts';
import type { Quotas } from './domain/quotas.ts';
import type { OutboundAllowance } from './lib/outbound/outbound-allowance.ts';
import { StartupError } from './lib/startup-error.ts';

export type PriceSourceId = (typeof PRICE_SOURCE_IDS)[number];

/** Everything the environment can say, parsed once. */
export type Config = {
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach `host`. */
  readonly isLoopback: boolean;
  /** Whether requests without a key are refused. */
  readonly keysRequired: boolean;
  /** null: the embedded database in `dataDir`. */
  readonly databaseUrl: string | null;
  /** Where reads may go instead; null: nowhere. */
  readonly databaseReplicaUrl: string | null;
  readonly dataDir: string;
  /** One URL, or several of one cluster, comma-separated. null: what is cached stays in the process. */
  readonly redisCacheUrl: string | null;
  /** null: the queue is kept in the database, and limits are counted in the process. */
  readonly redisQueueUrl: string | null;
  /** Whether the API process also runs the schedules. */
  readonly hasWorker: boolean;
  /** Where a worker that runs alone tells its health and metrics. */
  readonly workerPort: number;
  /** Addresses and CIDR ranges whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly corsOrigins: readonly string[];
  /** Points that a client may spend in a minute; 0: no limit. */
  readonly rateLimitPerMinute: number;
  /** What each tenant may, unless it was given quotas of its own. */
  readonly quotas: Quotas;
  /** API processes that share one limit. */
  readonly instanceCount: number;
  /** How long requests are still taken after a stop signal, for proxies to notice. */
  readonly drainDelaySeconds: number;
  /** Where users may make the service send to, beside the public internet. */
  readonly outboundAllow: readonly OutboundAllowance[];
  /** By lower-case host of an endpoint. */
  readonly rpcBudgets: ReadonlyMap<string, RpcBudget>;
  /** Endpoints by chain slug, in order of preference; an entry for every chain. */
  readonly rpcUrls: ReadonlyMap<string, readonly string[]>;
  readonly priceSources: readonly PriceSourceId[];
  readonly defillamaUrl: string;
  readonly coingeckoUrl: string;
  readonly coingeckoApiKey: string | null;
  /** How often balances are meant to be read; a figure older than three times this is called stale. */
  readonly refreshIntervalSeconds: number;
  /** How often what is held is written down. */
  readonly snapshotIntervalSeconds: number;
  /** How long all snapshots are kept, and the last one of each hour; the last one of each day is kept for ever. */
  readonly snapshotsKept: { readonly rawDays: number; readonly hourlyDays: number };
  /** How often the chains are asked what moved. */
  readonly transferIntervalSeconds: number;
  /** What could be earned without risk, as a fraction a year. */
  readonly riskFreePerYear: number;
  /** Where traces go; null: nowhere. */
  readonly otlpEndpoint: string | null;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Texts that no log line may hold. */
  readonly secrets: readonly string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_NAMES = [
  'DATABASE_URL',
  'DATABASE_REPLICA_URL',
  'REDIS_URL',
  'REDIS_CACHE_URL',
  'REDIS_QUEUE_URL',
  'COINGECKO_API_KEY',
] as const;

/** The variable that holds a chain's endpoints: `ETHEREUM_RPC_URLS`. */
export function rpcUrlsVariable(chain: Chain): string {
  return `${chain.slug.toUpperCase().replaceAll('-', '_')}_RPC_URLS`;
}

/** Reads the environment. Throws StartupError naming every variable at fault. */
export function loadConfig(environment: Environment = process.env): Config {
  const faults: string[] = [];
  const rpcNames = new Map(chains.map((chain) => [rpcUrlsVariable(chain), chain]));
  const values = readSecretFiles(environment, [...SECRET_NAMES, ...rpcNames.keys()], faults);
  for (const name of Object.keys(values)) {
    if (name.endsWith('_RPC_URLS') && !rpcNames.has(name)) faults.push(`${name}: no chain of this name is known`);
  }
  const parsed = environmentSchema.safeParse(values);
  if (!parsed.success) faults.push(...describeIssues(parsed.error));
  const rpcUrls = new Map<string, readonly string[]>();
  for (const [name, chain] of rpcNames) {
    const urls =
      values[name] === undefined ? { success: true as const, data: chain.defaultRpcUrls } : urlList.safeParse(values[name]);
    if (urls.success) rpcUrls.set(chain.slug, urls.data);
    else faults.push(`${name}: ${urls.error.issues[0]?.message ?? 'is not valid'}`);
  }
  if (parsed.success) faults.push(...findStrayBudgets(parsed.data.RPC_BUDGETS, rpcUrls));
  if (!parsed.success || faults.length > 0) throw new StartupError(faults.join('\n'));
  const env = parsed.data;
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    isLoopback: isLoopback(env.HOST),
    keysRequired: env.API_KEYS_REQUIRED ?? !isLoopback(env.HOST),
    databaseUrl: env.DATABASE_URL ?? null,
    databaseReplicaUrl: env.DATABASE_REPLICA_URL ?? null,
    dataDir: env.DATA_DIR ?? defaultDataDir(environment),
    redisCacheUrl: env.REDIS_CACHE_URL ?? env.REDIS_URL ?? null,
    redisQueueUrl: env.REDIS_QUEUE_URL ?? env.REDIS_URL ?? null,
    hasWorker: env.EMBEDDED_WORKER,
    workerPort: env.WORKER_PORT,
    trustedProxies: env.TRUST_PROXY,
    corsOrigins: env.CORS_ORIGINS,
    rateLimitPerMinute: env.RATE_LIMIT_PER_MINUTE,
    quotas: readQuotas(env),
    instanceCount: env.INSTANCE_COUNT,
    drainDelaySeconds: env.DRAIN_DELAY_SECONDS,
    outboundAllow: env.OUTBOUND_ALLOW,
    rpcBudgets: env.RPC_BUDGETS,
    rpcUrls,
    priceSources: env.PRICE_SOURCES,
    defillamaUrl: env.DEFILLAMA_URL.replace(/\/+$/, ''),
    coingeckoUrl: env.COINGECKO_URL.replace(/\/+$/, ''),
    coingeckoApiKey: env.COINGECKO_API_KEY ?? null,
    refreshIntervalSeconds: env.REFRESH_INTERVAL_SECONDS,
    snapshotIntervalSeconds: env.SNAPSHOT_INTERVAL_SECONDS,
    snapshotsKept: { rawDays: env.SNAPSHOT_RAW_DAYS, hourlyDays: Math.max(env.SNAPSHOT_HOURLY_DAYS, env.SNAPSHOT_RAW_DAYS) },
    transferIntervalSeconds: env.TRANSFER_INTERVAL_SECONDS,
    riskFreePerYear: Number(env.RISK_FREE_RATE) / 100,
    otlpEndpoint: env.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    logLevel: env.LOG_LEVEL,
    secrets: collectSecrets(values, [...rpcNames.keys()]),
  });
}

function readQuotas(env: z.output<typeof environmentSchema>): Quotas {
  return {
    wallets: orNoLimit(env.QUOTA_WALLETS),
    requestsPerMinute: orNoLimit(env.RATE_LIMIT_PER_MINUTE),
    refreshesPerHour: orNoLimit(env.QUOTA_REFRESHES_PER_HOUR),
  };
}

function orNoLimit(limit: number): number | null {
  return limit === 0 ? null : limit;
}

/** A budget that no endpoint has would limit nobody, without a word. */
function findStrayBudgets(budgets: ReadonlyMap<string, RpcBudget>, rpcUrls: ReadonlyMap<string, readonly string[]>): string[] {
  const hosts = new Set([...rpcUrls.values()].flat().flatMap((url) => [new URL(url).host, new URL(url).hostname]));
  return [...budgets.keys()].filter((host) => !hosts.has(host)).map((host) => `RPC_BUDGETS: no endpoint is at ${host}`);
}

/** Empty values count as unset, so that `X=` in an env file means the default; `X_FILE` names a file that holds X. */
function readSecretFiles(environment: Environment, names: readonly string[], faults: string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value.trim() !== '') values[name] = value.trim();
  }
  for (const name of names) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) faults.push(`${name}: set it or ${name}_FILE, not both`);
    try {
      values[name] = readFileSync(file, 'utf8').slice(0, 65_536).trim();
    } catch {
      faults.push(`${name}_FILE: the file cannot be read`);
    }
  }
  return values;
}

function describeIssues(error: z.ZodError): string[] {
  const lines = error.issues.map((issue) => `${issue.path[0]?.toString() ?? '?'}: ${issue.message}`);
  return [...new Set(lines)];
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function defaultDataDir(environment: Environment): string {
  // PostgreSQL refuses to run as root, and the user it runs as instead cannot look below root's home.
  if (process.getuid?.() === 0) return '/var/lib/chainfolio';
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'chainfolio');
}

function collectSecrets(values: Readonly<Record<string, string>>, rpcNames: readonly string[]): string[] {
  const split = (name: string): string[] => values[name]?.split(',').map((part) => part.trim()) ?? [];
  return [
    ...rpcNames.flatMap(split).flatMap((url) => [url, ...keyParts(url)]),
    ...SECRET_NAMES.flatMap(split).flatMap((secret) => [secret, ...passwordOf(secret)]),
    ...split('OTEL_EXPORTER_OTLP_ENDPOINT').flatMap((url) => [...keyParts(url), ...passwordOf(url)]),
  ];
}

/** Path segments and query values of an endpoint's URL: where providers put keys. Short ones are words like `rpc` and `v3`. */
function keyParts(url: string): string[] {
  const { pathname, searchParams, username, password } = new URL(url);
  return [...pathname.split('/'), ...searchParams.values(), username, password].filter((part) => part.length >= 12);
}

function passwordOf(url: string): string[] {
  const password = URL.parse(url)?.password ?? '';
  return password === '' ? [] : [password, ...decoded(password)];
}

function decoded(text: string): string[] {
  try {
    return [decodeURIComponent(text)];
  } catch {
    return [];
  }
}
