import { z } from 'zod';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import { chunk, mapLimited } from '../../lib/concurrency.ts';
import type { PriceAnswer, PriceSource } from '../price-source.ts';
import { COINGECKO_ID, type CoingeckoApi } from './coingecko-api.ts';

const COINS_PER_REQUEST = 100;
/** Without a key the public API refuses more than one contract address a request. */
const COINS_PER_KEYLESS_REQUEST = 1;
/** A keyless caller has a handful of requests a minute: more addresses than this wait for another round. */
const MAX_KEYLESS_REQUESTS = 10;
const REQUESTS_AT_ONCE = 2;

const answerSchema = z.record(z.string(), z.record(z.string(), z.unknown()).catch({}));

type Deps = { readonly api: CoingeckoApi; readonly chains: readonly Chain[]; readonly now: () => Date };

/** One request: assets under the names that CoinGecko has for them. */
type Group = { readonly path: string; readonly parameter: string; readonly assets: ReadonlyMap<string, readonly AssetRef[]> };

/** Prices from CoinGecko: tokens by platform and contract address, native coins by id. */
export function createCoingeckoPriceSource(deps: Deps): PriceSource {
  return {
    id: COINGECKO_ID,
    supports: (asset) => nameOf(deps.chains, asset) !== undefined,
    async fetchPrices(assets, signal) {
      const groups = toGroups(deps, assets);
      const allowed = deps.api.hasKey ? groups : groups.slice(0, MAX_KEYLESS_REQUESTS);
      const answers = await mapLimited(allowed, REQUESTS_AT_ONCE, (group) => fetchGroup(deps, group, signal));
      const postponed = groups.slice(allowed.length).flatMap((group) => [...group.assets.values()].flat());
      return [...answers.flat(), ...postponed.map((asset) => refuse(asset, 'source_failed', 'upstream_rate_limited'))];
    },
  };
}

/** The path and name by which CoinGecko knows an asset. */
function nameOf(chains: readonly Chain[], { chain: slug, address }: AssetRef): { path: string; name: string } | undefined {
  const chain = chains.find((candidate) => candidate.slug === slug);
  if (chain === undefined) return undefined;
  if (address === null) return { path: '/simple/price', name: chain.native.coingeckoId };
  if (chain.coingeckoPlatform === null) return undefined;
  const name = chain.family === 'evm' ? address.toLowerCase() : address;
  return { path: `/simple/token_price/${chain.coingeckoPlatform}`, name };
}

function toGroups({ chains, api }: Deps, assets: readonly AssetRef[]): readonly Group[] {
  const byPath = new Map<string, Map<string, AssetRef[]>>();
  for (const asset of assets) {
    const known = nameOf(chains, asset);
    if (known === undefined) continue;
    const names = byPath.get(known.path) ?? new Map<string, AssetRef[]>();
    names.set(known.name, [...(names.get(known.name) ?? []), asset]);
    byPath.set(known.path, names);
  }
  return [...byPath].flatMap(([path, names]) => {
    const isById = path === '/simple/price';
    const size = isById || api.hasKey ? COINS_PER_REQUEST : COINS_PER_KEYLESS_REQUEST;
    const parameter = isById ? 'ids' : 'contract_addresses';
    return chunk([...names], size).map((part) => ({ path, parameter, assets: new Map(part) }));
  });
}

async function fetchGroup(
  { api, now }: Deps,
  { path, parameter, assets }: Group,
  signal: AbortSignal,
): Promise<readonly PriceAnswer[]> {
  const query = { [parameter]: [...assets.keys()].join(','), vs_currencies: 'usd', include_last_updated_at: 'true' };
  try {
    const answer = answerSchema.safeParse(await api.get(path, query, signal));
    if (!answer.success) throw new AppError('upstream_malformed', 'CoinGecko sent no prices.', { provider: COINGECKO_ID });
    const entries = new Map(Object.entries(answer.data));
    return [...assets].flatMap(([name, refs]) => refs.map((asset) => toAnswer(asset, entries.get(name), now())));
  } catch (error) {
    const { code } = toAppError(error);
    return [...assets.values()].flat().map((asset) => refuse(asset, 'source_failed', code));
  }
}

function toAnswer(asset: AssetRef, entry: Readonly<Record<string, unknown>> | undefined, now: Date): PriceAnswer {
  if (entry === undefined || Object.keys(entry).length === 0) return refuse(asset, 'not_quoted');
  if (!('usd' in entry)) return refuse(asset, 'quote_wrong_currency');
  // CoinGecko says null for a coin whose market it no longer follows.
  if (entry.usd === null) return refuse(asset, 'not_quoted');
  const time = entry.last_updated_at;
  const quotedAt = typeof time === 'string' ? new Date(Number(time) * 1000) : null;
  const value = typeof entry.usd === 'string' ? entry.usd : '';
  const verdict = checkQuote({ value, source: COINGECKO_ID, quotedAt }, now);
  return verdict.isGood ? { asset, quote: verdict.quote } : refuse(asset, verdict.reason);
}

type Refusal = Extract<PriceAnswer, { refused: unknown }>['refused'];

function refuse(asset: AssetRef, reason: Refusal['reason'], detail?: string): PriceAnswer {
  return { asset, refused: { source: COINGECKO_ID, reason, ...(detail === undefined ? {} : { detail }) } };
}
