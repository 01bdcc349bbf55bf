import { z } from 'zod';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import { chunk, mapLimited } from '../../lib/concurrency.ts';
import { failedStatus, type HttpClient } from '../../lib/http-client.ts';
import { parseLosslessJson } from '../../lib/lossless-json.ts';
import { readUnixTime } from '../../lib/unix-time.ts';
import type { PriceAnswer, PriceSource } from '../price-source.ts';
import { canonicalCoin, coinOf, isConfident } from './defillama-coins.ts';

const ID = 'defillama';
/** A hundred addresses make a URL of about 5.5 kB; 8 kB is where servers begin to refuse them. */
const COINS_PER_REQUEST = 100;
const REQUESTS_AT_ONCE = 4;
const TIMEOUT_MS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;

/** Numbers arrive as their digits. */
const answerSchema = z.object({
  coins: z.record(
    z.string(),
    z.object({ price: z.unknown(), timestamp: z.unknown(), confidence: z.unknown() }).partial().catch({}),
  ),
});

type Deps = { readonly baseUrl: string; readonly http: HttpClient; readonly chains: readonly Chain[]; readonly now: () => Date };

/** Prices from DefiLlama's coins API (`GET /prices/current/{coins}`), by chain and token address; native coins by their CoinGecko id. */
export function createDefillamaPriceSource(deps: Deps): PriceSource {
  return {
    id: ID,
    supports: (asset) => coinOf(deps.chains, asset) !== undefined,
    async fetchPrices(assets, signal) {
      const groups = await mapLimited(chunk(assets, COINS_PER_REQUEST), REQUESTS_AT_ONCE, (group) =>
        fetchGroup(deps, group, signal),
      );
      return groups.flat();
    },
  };
}

async function fetchGroup(deps: Deps, assets: readonly AssetRef[], signal: AbortSignal): Promise<readonly PriceAnswer[]> {
  const coins = [...new Set(assets.map((asset) => coinOf(deps.chains, asset)).filter((coin) => coin !== undefined))];
  try {
    const quotes = await fetchCoins(deps, coins, signal);
    return assets.map((asset) => toAnswer(asset, quotes.get(coinOf(deps.chains, asset) ?? ''), deps.now()));
  } catch (error) {
    const detail = toAppError(error).code;
    return assets.map((asset) => ({ asset, refused: { source: ID, reason: 'source_failed', detail } }));
  }
}

type Coin = { readonly price?: unknown; readonly timestamp?: unknown; readonly confidence?: unknown };

async function fetchCoins(
  { baseUrl, http }: Deps,
  coins: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Coin>> {
  const url = `${baseUrl}/prices/current/${coins.map(encodeURIComponent).join(',')}`;
  const response = await http.send({ url, signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  const failed = failedStatus(response, url);
  if (failed !== undefined) throw failed;
  const answer = answerSchema.safeParse(parseLosslessJson(response.body));
  if (!answer.success) throw new AppError('upstream_malformed', 'DefiLlama sent no prices.', { provider: ID });
  return new Map(Object.entries(answer.data.coins).map(([coin, quote]) => [canonicalCoin(coin), quote]));
}

function toAnswer(asset: AssetRef, coin: Coin | undefined, now: Date): PriceAnswer {
  if (coin === undefined) return { asset, refused: { source: ID, reason: 'not_quoted' } };
  if (!isConfident(coin.confidence)) return { asset, refused: { source: ID, reason: 'not_quoted', detail: 'low confidence' } };
  const value = typeof coin.price === 'string' ? coin.price : '';
  const verdict = checkQuote({ value, source: ID, quotedAt: readUnixTime(coin.timestamp) }, { now });
  return verdict.isGood ? { asset, quote: verdict.quote } : { asset, refused: { source: ID, reason: verdict.reason } };
}
