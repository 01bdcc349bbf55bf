import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Chain } from './domain/chain.ts';
import { chains } from './domain/chains.ts';
import { StartupError } from './lib/startup-error.ts';

const PRICE_SOURCE_IDS = ['defillama', 'coingecko', 'chainlink'] as const;
export type PriceSourceId = (typeof PRICE_SOURCE_IDS)[number];

/** Everything the environment can say, parsed once. */
export type Config = {
  readonly host: string;
  readonly port: number;
  /** Whether only this machine can reach `host`. */
  readonly isLoopback: boolean;
  /** null: the embedded database in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly dataDir: string;
  /** Endpoints by chain slug, in order of preference; an entry for every chain. */
  readonly rpcUrls: ReadonlyMap<string, readonly string[]>;
  readonly priceSources: readonly PriceSourceId[];
  readonly defillamaUrl: string;
  readonly coingeckoUrl: string;
  readonly coingeckoApiKey: string | null;
  /** How often balances are meant to be read; a figure older than three times this is called stale. */
  readonly refreshIntervalSeconds: number;
  readonly logLevel: 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';
  /** Texts that no log line may hold. */
  readonly secrets: readonly string[];
};

type Environment = Readonly<Record<string, string | undefined>>;

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const urlList = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .pipe(z.array(httpUrl).min(1, 'must name at least one URL').max(20, 'must name at most 20 URLs'));
const sourceList = z
  .string()
  .transform((text) => [...new Set(text.split(',').map((part) => part.trim().toLowerCase()))].filter((part) => part !== ''))
  .pipe(
    z
      .array(z.enum(PRICE_SOURCE_IDS, { error: `must be a comma-separated list out of ${PRICE_SOURCE_IDS.join(', ')}` }))
      .min(1, 'must name at least one source'),
  );
const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `must be at least ${min}`).max(max, `must be at most ${max}`));

const schema = z.object({
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be a host name or an IP address')
    .default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(3000),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  DATA_DIR: z.string().min(1).max(4096).optional(),
  PRICE_SOURCES: sourceList.default([...PRICE_SOURCE_IDS]),
  DEFILLAMA_URL: httpUrl.default('https://coins.llama.fi'),
  COINGECKO_URL: httpUrl.default('https://api.coingecko.com/api/v3'),
  COINGECKO_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{6,200}$/, 'must be 6 to 200 printable characters')
    .optional(),
  REFRESH_INTERVAL_SECONDS: wholeNumber(10, 86_400).default(300),
  API_KEYS_REQUIRED: z.stringbool({ error: 'must be true or false' }).optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

const SECRET_NAMES = ['DATABASE_URL', 'COINGECKO_API_KEY'] as const;

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
  const parsed = schema.safeParse(values);
  if (!parsed.success) faults.push(...describeIssues(parsed.error));
  const rpcUrls = new Map<string, readonly string[]>();
  for (const [name, chain] of rpcNames) {
    const urls =
      values[name] === undefined ? { success: true as const, data: chain.defaultRpcUrls } : urlList.safeParse(values[name]);
    if (urls.success) rpcUrls.set(chain.slug, urls.data);
    else faults.push(`${name}: ${urls.error.issues[0]?.message ?? 'is not valid'}`);
  }
  if (!parsed.success || faults.length > 0) throw new StartupError(faults.join('\n'));
  const env = parsed.data;
  refuseOpenNetwork(env.HOST, env.API_KEYS_REQUIRED);
  return Object.freeze({
    host: env.HOST,
    port: env.PORT,
    isLoopback: isLoopback(env.HOST),
    databaseUrl: env.DATABASE_URL ?? null,
    dataDir: env.DATA_DIR ?? defaultDataDir(environment),
    rpcUrls,
    priceSources: env.PRICE_SOURCES,
    defillamaUrl: env.DEFILLAMA_URL.replace(/\/+$/, ''),
    coingeckoUrl: env.COINGECKO_URL.replace(/\/+$/, ''),
    coingeckoApiKey: env.COINGECKO_API_KEY ?? null,
    refreshIntervalSeconds: env.REFRESH_INTERVAL_SECONDS,
    logLevel: env.LOG_LEVEL,
    secrets: collectSecrets(env.DATABASE_URL, env.COINGECKO_API_KEY, values, [...rpcNames.keys()]),
  });
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

/** This version has no API keys, so another machine may only be let in on the owner's explicit word. */
function refuseOpenNetwork(host: string, keysRequired: boolean | undefined): void {
  if (keysRequired === true) {
    throw new StartupError('API_KEYS_REQUIRED: this version has no API keys yet; unset it and keep HOST on a loopback address');
  }
  if (!isLoopback(host) && keysRequired === undefined) {
    throw new StartupError(
      `HOST: ${host} can be reached from other machines and this version has no API keys; set API_KEYS_REQUIRED=false to serve it open`,
    );
  }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function defaultDataDir(environment: Environment): string {
  // PostgreSQL refuses to run as root, and the user it runs as instead cannot look below root's home.
  if (process.getuid?.() === 0) return '/var/lib/chainfolio';
  return join(environment.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'chainfolio');
}

function collectSecrets(
  databaseUrl: string | undefined,
  apiKey: string | undefined,
  values: Record<string, string>,
  rpcNames: readonly string[],
): string[] {
  const urls = rpcNames.flatMap((name) => values[name]?.split(',').map((url) => url.trim()) ?? []);
  const secrets = urls.flatMap((url) => [url, ...keyParts(url)]);
  if (databaseUrl !== undefined) secrets.push(databaseUrl, ...passwordOf(databaseUrl));
  if (apiKey !== undefined) secrets.push(apiKey);
  return secrets;
}

/** Path segments and query values of an endpoint's URL: where providers put keys. Short ones are words like `rpc` and `v3`. */
function keyParts(url: string): string[] {
  const { pathname, searchParams, username, password } = new URL(url);
  return [...pathname.split('/'), ...searchParams.values(), username, password].filter((part) => part.length >= 12);
}

function passwordOf(url: string): string[] {
  const { password } = new URL(url);
  return password === '' ? [] : [password, ...decoded(password)];
}

function decoded(text: string): string[] {
  try {
    return [decodeURIComponent(text)];
  } catch {
    return [];
  }
}
