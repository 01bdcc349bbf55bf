import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { type OutboundAllowance, parseOutboundAllowance } from './lib/outbound/outbound-allowance.ts';

export const PRICE_SOURCE_IDS = ['defillama', 'coingecko', 'chainlink'] as const;

/** What one endpoint may be asked at the most; null where there is no limit. */
export type RpcBudget = { readonly perSecond: number | null; readonly perDay: number | null };

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);

/** Comma-separated endpoints of one chain. */
export const urlList = list.pipe(z.array(httpUrl).min(1, 'must name at least one URL').max(20, 'must name at most 20 URLs'));

const sourceList = list
  .transform((ids) => [...new Set(ids.map((id) => id.toLowerCase()))])
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

/** One URL, or the nodes of a cluster, comma-separated. */
const redisUrl = z.string().refine((text) => text.split(',').every((part) => isRedisUrl(part.trim())), {
  error: 'must be a redis:// or rediss:// URL, or several of one cluster, comma-separated',
});

function isRedisUrl(text: string): boolean {
  return /^rediss?:$/.test(URL.parse(text)?.protocol ?? '');
}

const postgresUrl = z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' });

const NAMED_RANGES: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1/128'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', '127.0.0.0/8', '::1/128'],
};

const proxyList = list
  .transform((parts) => parts.flatMap((part) => NAMED_RANGES[part] ?? [part]))
  .pipe(z.array(z.string().refine(isAddressOrRange, 'must list addresses, CIDR ranges, `loopback` or `private`')));

function isAddressOrRange(text: string): boolean {
  return isIP(text) !== 0 || ipaddr.isValidCIDR(text);
}

const originList = list.pipe(
  z.array(
    z.string().refine((text) => text === '*' || URL.parse(text)?.origin === text, 'must list origins such as https://a.example'),
  ),
);

const allowanceList = list.transform((parts, context): readonly OutboundAllowance[] =>
  parts.flatMap((part) => {
    const allowance = parseOutboundAllowance(part);
    if (allowance !== undefined) return [allowance];
    context.addIssue('must list names, addresses and CIDR ranges, each with a port or without');
    return [];
  }),
);

const BUDGET = /^([^=\s]+)=(\d{1,6}(?:\.\d{1,3})?)?(?:\/(\d{1,9}))?$/;

/** `host=10/100000`: requests a second and a day; either may be left out. */
const budgetList = list
  .pipe(z.array(z.string().regex(BUDGET, 'must be a comma-separated list of host=requests-a-second/requests-a-day')))
  .transform((parts) => new Map(parts.map(parseBudget)));

function parseBudget(text: string): [string, RpcBudget] {
  const [, host = '', perSecond, perDay] = BUDGET.exec(text) ?? [];
  return [host.toLowerCase(), { perSecond: toLimit(perSecond), perDay: toLimit(perDay) }];
}

function toLimit(digits: string | undefined): number | null {
  return digits === undefined ? null : Number(digits);
}

/** Every variable but the chains' endpoints, which are named after the chains. */
export const environmentSchema = z.object({
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:_-]+$/, 'must be a host name or an IP address')
    .default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(3000),
  // In so many words: nothing that only looks like it opens an address to everybody.
  API_KEYS_REQUIRED: z
    .enum(['true', 'false'], { error: 'must be true or false' })
    .transform((word) => word === 'true')
    .optional(),
  TRUST_PROXY: proxyList.default([]),
  CORS_ORIGINS: originList.default([]),
  RATE_LIMIT_PER_MINUTE: wholeNumber(0, 10_000_000).default(600),
  QUOTA_WALLETS: wholeNumber(0, 10_000_000).default(10_000),
  QUOTA_REFRESHES_PER_HOUR: wholeNumber(0, 10_000_000).default(600),
  INSTANCE_COUNT: wholeNumber(1, 1000).default(1),
  DRAIN_DELAY_SECONDS: wholeNumber(0, 60).default(0),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_REPLICA_URL: postgresUrl.optional(),
  DATA_DIR: z.string().min(1).max(4096).optional(),
  REDIS_URL: redisUrl.optional(),
  REDIS_CACHE_URL: redisUrl.optional(),
  REDIS_QUEUE_URL: redisUrl.optional(),
  EMBEDDED_WORKER: z.stringbool({ error: 'must be true or false' }).default(true),
  WORKER_PORT: wholeNumber(0, 65_535).default(3001),
  OUTBOUND_ALLOW: allowanceList.default([]),
  RPC_BUDGETS: budgetList.default(new Map()),
  PRICE_SOURCES: sourceList.default([...PRICE_SOURCE_IDS]),
  DEFILLAMA_URL: httpUrl.default('https://coins.llama.fi'),
  COINGECKO_URL: httpUrl.default('https://api.coingecko.com/api/v3'),
  COINGECKO_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{6,200}$/, 'must be 6 to 200 printable characters')
    .optional(),
  REFRESH_INTERVAL_SECONDS: wholeNumber(10, 86_400).default(300),
  SNAPSHOT_INTERVAL_SECONDS: wholeNumber(10, 86_400).default(3600),
  SNAPSHOT_RAW_DAYS: wholeNumber(1, 3650).default(30),
  SNAPSHOT_HOURLY_DAYS: wholeNumber(1, 36_500).default(365),
  TRANSFER_INTERVAL_SECONDS: wholeNumber(10, 86_400).default(900),
  RISK_FREE_RATE: z
    .string()
    .regex(/^-?\d{1,2}(\.\d{1,6})?$/, 'must be a rate per year in per cent, such as 4.25')
    .default('0'),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
