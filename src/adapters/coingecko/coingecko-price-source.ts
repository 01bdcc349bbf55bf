import { z } from 'zod';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import type { PriceAttempt } from '../../domain/price.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import { chunk, mapLimited } from '../../lib/concurrency.ts';
import { readUnixTime } from '../../lib/unix-time.ts';
import type { PriceAnswer, PriceSource } from '../price-source.ts';
import { COINGECKO_ID, type CoingeckoApi } from './coingecko-api.ts';
import { type CoinIds, createCoingeckoCoins, normalizeAddress } from './coingecko-coins.ts';

/** Of the 515 addresses that are documented; more would make the URL too long for some proxies. */
const COINS_PER_REQUEST = 100;
/** Without a key and a list of the coins: one address is all that a request may ask, and there are few requests a minute. */
const ADDRESSES_PER_KEYLESS_REQUEST = 1;
const MAX_KEYLESS_REQUESTS = 10;
const REQUESTS_AT_ONCE = 2;

const BY_ID = '/simple/price';
const BY_ADDRESS = '/simple/token_price';

const answerSchema = z.record(z.string(), z.record(z.string(), z.unknown()).catch({}));

type Deps = { readonly api: CoingeckoApi; readonly chains: readonly Chain[]; readonly now: () => Date };

/** The path and name by which CoinGecko knows an asset. */
type Name = { readonly path: string; readonly name: string };

/** One request: assets under the names that CoinGecko has for them. */
type Group = { readonly path: string; readonly assets: ReadonlyMap<string, readonly AssetRef[]> };

/**
 * Prices from CoinGecko. Native coins are asked for by id. Tokens are asked for by contract address where there is a key; without one by id
 * too, from CoinGecko's list of coins, since the keyless API takes one address a request and a few requests a minute.
 */
export function createCoingeckoPriceSource(deps: Deps): PriceSource {
  const { api, chains } = deps;
  const coins = createCoingeckoCoins(deps);
  return {
    id: COINGECKO_ID,
    supports: (asset) => nameOf(chains, asset, undefined) !== undefined,
    async fetchPrices(assets, signal) {
      const hasTokens = assets.some((asset) => asset.address !== null);
      const ids = !api.hasKey && hasTokens ? await coins.getIds(signal) : undefined;
      const named = assets.map((asset) => ({ asset, name: nameOf(chains, asset, ids) }));
      const groups = toGroups(named, api.hasKey ? COINS_PER_REQUEST : ADDRESSES_PER_KEYLESS_REQUEST);
      const allowed = api.hasKey ? groups : groups.slice(0, MAX_KEYLESS_REQUESTS);
      const answers = await mapLimited(allowed, REQUESTS_AT_ONCE, (group) => fetchGroup(deps, group, signal));
      const unknown = named.filter(({ name }) => name === undefined).map(({ asset }) => refuse(asset, 'not_quoted'));
      const postponed = groups.slice(allowed.length).flatMap((group) => refuseGroup(group, 'upstream_rate_limited'));
      return [...answers.flat(), ...unknown, ...postponed];
    },
  };
}

/** Undefined when CoinGecko does not know the asset. `ids`: its list of coins, where tokens are named by it. */
function nameOf(chains: readonly Chain[], { chain: slug, address }: AssetRef, ids: CoinIds | undefined): Name | undefined {
  const chain = chains.find((candidate) => candidate.slug === slug);
  if (chain === undefined) return undefined;
  if (address === null) return { path: BY_ID, name: chain.native.coingeckoId };
  const platform = chain.coingeckoPlatform;
  if (platform === null) return undefined;
  const name = normalizeAddress(address);
  if (ids === undefined) return { path: `${BY_ADDRESS}/${platform}`, name };
  const id = ids.get(`${platform}/${name}`);
  return id === undefined ? undefined : { path: BY_ID, name: id };
}

/** Those that ask by id come first. */
function toGroups(
  named: readonly { readonly asset: AssetRef; readonly name: Name | undefined }[],
  addressesPerRequest: number,
): readonly Group[] {
  const byPath = new Map<string, Map<string, AssetRef[]>>([[BY_ID, new Map()]]);
  for (const { asset, name } of named) {
    if (name === undefined) continue;
    const names = byPath.get(name.path) ?? new Map<string, AssetRef[]>();
    names.set(name.name, [...(names.get(name.name) ?? []), asset]);
    byPath.set(name.path, names);
  }
  return [...byPath].flatMap(([path, names]) =>
    chunk([...names], path === BY_ID ? COINS_PER_REQUEST : addressesPerRequest).map((part) => ({ path, assets: new Map(part) })),
  );
}

async function fetchGroup({ api, now }: Deps, { path, assets }: Group, signal: AbortSignal): Promise<readonly PriceAnswer[]> {
  const names = [...assets.keys()].join(',');
  const query = { vs_currencies: 'usd', include_last_updated_at: 'true', precision: 'full' };
  try {
    const answer = answerSchema.safeParse(
      await api.get(path, { [path === BY_ID ? 'ids' : 'contract_addresses']: names, ...query }, signal),
    );
    if (!answer.success) throw new AppError('upstream_malformed', 'CoinGecko sent no prices.', { provider: COINGECKO_ID });
    const entries = new Map(Object.entries(answer.data).map(([name, entry]) => [normalizeAddress(name), entry]));
    return [...assets].flatMap(([name, refs]) => refs.map((asset) => toAnswer(asset, entries.get(name), now())));
  } catch (error) {
    return refuseGroup({ path, assets }, toAppError(error).code);
  }
}

function refuseGroup({ assets }: Group, code: string): readonly PriceAnswer[] {
  return [...assets.values()].flat().map((asset) => refuse(asset, 'source_failed', code));
}

function toAnswer(asset: AssetRef, entry: Readonly<Record<string, unknown>> | undefined, now: Date): PriceAnswer {
  if (entry === undefined || Object.keys(entry).length === 0) return refuse(asset, 'not_quoted');
  if (!('usd' in entry)) return refuse(asset, 'quote_wrong_currency');
  // CoinGecko says null for a coin whose market it no longer follows.
  if (entry.usd === null) return refuse(asset, 'not_quoted');
  const value = typeof entry.usd === 'string' ? entry.usd : '';
  const verdict = checkQuote({ value, source: COINGECKO_ID, quotedAt: readUnixTime(entry.last_updated_at) }, { now });
  return verdict.isGood ? { asset, quote: verdict.quote } : refuse(asset, verdict.reason);
}

function refuse(asset: AssetRef, reason: PriceAttempt['reason'], detail?: string): PriceAnswer {
  return { asset, refused: { source: COINGECKO_ID, reason, ...(detail === undefined ? {} : { detail }) } };
}
