import { z } from 'zod';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import { AppError } from '../../domain/errors.ts';
import type { Quote } from '../../domain/price.ts';
import { checkQuote } from '../../domain/quote-check.ts';
import { chunk, mapLimited } from '../../lib/concurrency.ts';
import { failedStatus, type HttpClient } from '../../lib/http-client.ts';
import { parseLosslessJson } from '../../lib/lossless-json.ts';
import { readUnixTime } from '../../lib/unix-time.ts';
import type { HistoryNeed, PriceHistorySource } from '../price-history.ts';
import type { FxRate } from '../price-source.ts';
import { canonicalCoin, coinOf, isConfident } from './defillama-coins.ts';

const ID = 'defillama';
/** Prices of one request: their moments stand in the URL, and 8 kB is where servers begin to refuse. */
const PRICES_PER_REQUEST = 100;
const MOMENTS_PER_COIN = 50;
const REQUESTS_AT_ONCE = 2;
const TIMEOUT_MS = 20_000;
const MAX_BYTES = 2 * 1024 * 1024;
const MAX_PRICES = 1_000;
const RATE_DECIMALS = 18;
/** Coins that are told as currencies. */
const CURRENCY_COINS = { BTC: 'coingecko:bitcoin', ETH: 'coingecko:ethereum' };

/** Numbers arrive as their digits. */
const answerSchema = z.object({
  coins: z.record(
    z.string(),
    z
      .object({
        prices: z
          .array(z.object({ timestamp: z.unknown(), price: z.unknown(), confidence: z.unknown() }).partial())
          .max(MAX_PRICES),
      })
      .catch({ prices: [] }),
  ),
});

type Deps = { readonly baseUrl: string; readonly http: HttpClient; readonly chains: readonly Chain[] };
type Want = { readonly coin: string; readonly moments: readonly Date[] };
type AssetWant = Want & { readonly asset: AssetRef };

/** Past prices from DefiLlama's coins API (`GET /batchHistorical`). */
export function createDefillamaPriceHistory(deps: Deps): PriceHistorySource {
  return {
    id: ID,
    supports: (asset) => coinOf(deps.chains, asset) !== undefined,
    async fetchQuotes({ needs, withinSeconds }, signal) {
      const wants = needs.flatMap((need) => toWants(deps, need));
      const found = await fetchWanted(deps, { wants, withinSeconds }, signal);
      return found.map(({ want: { asset }, quote }) => ({ asset, quote }));
    },
    async fetchCoinRates({ moments, withinSeconds }, signal) {
      const wants = Object.entries(CURRENCY_COINS).flatMap(([currency, coin]) =>
        chunk(moments, MOMENTS_PER_COIN).map((some) => ({ currency, coin, moments: some })),
      );
      const found = await fetchWanted(deps, { wants, withinSeconds }, signal);
      return found.map(({ want, quote }) => toRate(want.currency, quote));
    },
  };
}

/** A price tells dollars for a coin; a rate is the other way round. */
function toRate(currency: string, { value, quotedAt }: Quote): FxRate {
  const perUsd = new Decimal(1).div(value).decimalPlaces(RATE_DECIMALS, Decimal.ROUND_HALF_EVEN);
  return { currency, perUsd: formatDecimal(perUsd), source: ID, quotedAt };
}

function toWants({ chains }: Deps, { asset, moments }: HistoryNeed): readonly AssetWant[] {
  const coin = coinOf(chains, asset);
  return coin === undefined ? [] : chunk(moments, MOMENTS_PER_COIN).map((some) => ({ asset, coin, moments: some }));
}

/** As many together as one request takes; a coin is in it once. */
function groupWants<W extends Want>(wants: readonly W[]): readonly (readonly W[])[] {
  const groups: { wants: W[]; count: number }[] = [];
  for (const want of wants) {
    const last = groups.at(-1);
    const fits = last !== undefined && last.count + want.moments.length <= PRICES_PER_REQUEST;
    if (last !== undefined && fits && !last.wants.some(({ coin }) => coin === want.coin)) {
      last.wants.push(want);
      last.count += want.moments.length;
    } else groups.push({ wants: [want], count: want.moments.length });
  }
  return groups.map((group) => group.wants);
}

type Wanted<W> = { readonly wants: readonly W[]; readonly withinSeconds: number };

async function fetchWanted<W extends Want>(
  deps: Deps,
  { wants, withinSeconds }: Wanted<W>,
  signal: AbortSignal,
): Promise<readonly { readonly want: W; readonly quote: Quote }[]> {
  const found = await mapLimited(groupWants(wants), REQUESTS_AT_ONCE, (group) =>
    fetchGroup(deps, { wants: group, withinSeconds }, signal),
  );
  return found.flat();
}

/** The vendor looks as far to both sides of a moment, so that it is asked for the middle of the time before ours. */
async function fetchGroup<W extends Want>(
  { baseUrl, http }: Deps,
  { wants, withinSeconds }: Wanted<W>,
  signal: AbortSignal,
): Promise<readonly { readonly want: W; readonly quote: Quote }[]> {
  const width = Math.floor(withinSeconds / 2);
  const toMiddle = (moment: Date): number => Math.floor(moment.getTime() / 1000) - width;
  const coins = Object.fromEntries(wants.map(({ coin, moments }) => [coin, moments.map(toMiddle)]));
  const url = `${baseUrl}/batchHistorical?coins=${encodeURIComponent(JSON.stringify(coins))}&searchWidth=${width}`;
  const response = await http.send({ url, signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
  const failed = failedStatus(response, url);
  if (failed !== undefined) throw failed;
  const answer = answerSchema.safeParse(parseLosslessJson(response.body));
  if (!answer.success) throw new AppError('upstream_malformed', 'DefiLlama sent no past prices.', { provider: ID });
  const told = new Map(Object.entries(answer.data.coins).map(([coin, { prices }]) => [canonicalCoin(coin), prices]));
  return wants.flatMap((want) => {
    const quotes = (told.get(want.coin) ?? []).flatMap((price) => toQuote(price) ?? []);
    return nearest(want, quotes, withinSeconds).map((quote) => ({ want, quote }));
  });
}

type Told = { readonly timestamp?: unknown; readonly price?: unknown; readonly confidence?: unknown };

function toQuote({ timestamp, price, confidence }: Told): Quote | undefined {
  const quotedAt = readUnixTime(timestamp);
  if (quotedAt === null || !isConfident(confidence)) return undefined;
  const verdict = checkQuote({ value: typeof price === 'string' ? price : '', source: ID, quotedAt }, { now: quotedAt });
  return verdict.isGood ? verdict.quote : undefined;
}

/** For each moment the last quote before it, if it is near enough. */
function nearest({ moments }: Want, quotes: readonly Quote[], withinSeconds: number): readonly Quote[] {
  const chosen = new Map<number, Quote>();
  for (const moment of moments) {
    let best: Quote | undefined;
    for (const quote of quotes) {
      const ageMs = moment.getTime() - quote.quotedAt.getTime();
      const isNear = ageMs >= 0 && ageMs <= withinSeconds * 1000;
      if (isNear && (best === undefined || quote.quotedAt > best.quotedAt)) best = quote;
    }
    if (best !== undefined) chosen.set(best.quotedAt.getTime(), best);
  }
  return [...chosen.values()];
}
