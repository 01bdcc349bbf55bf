import type { FxRate, FxSource, PriceAnswer, PriceSource } from '../adapters/price-source.ts';
import type { PriceStore } from '../db/price-store.ts';
import { type AssetRef, assetKey } from '../domain/asset.ts';
import { parseDecimal } from '../domain/decimal.ts';
import { toAppError } from '../domain/errors.ts';
import type { MarketPrice, PriceAttempt, Quote } from '../domain/price.ts';
import { agree, isPriceJump } from '../domain/quote-check.ts';
import { untilAborted } from '../lib/until-aborted.ts';
import type { HealthPart } from './health-service.ts';

export type PriceService = {
  /**
   * Asks the sources in order for every asset whose price is older than the time to live, each asset going on to the next source until one gives a
   * good quote, and stores the outcome. Concurrent calls for the same asset share one request, which goes on when a caller leaves. Never throws for a source's
   * fault; rejects when the signal fires.
   */
  refreshPrices(assets: readonly (AssetRef & { readonly id: string })[], signal: AbortSignal): Promise<void>;
  /** What is stored, by asset id; no entry for what was never asked. */
  getPrices(assetIds: readonly string[]): Promise<ReadonlyMap<string, MarketPrice>>;
  /** Brings the rates up to date if they are older than the time to live. Never throws for a source's fault; rejects when the signal fires. */
  refreshRates(signal: AbortSignal): Promise<void>;
  /** The last known rate, undefined when no source ever gave one. USD needs no source. */
  getRate(currency: string): Promise<FxRate | undefined>;
  /** Outcome of the last call to each source. */
  health(): readonly HealthPart[];
  /** Gives up what is in flight and resolves when it has ended. */
  stop(): Promise<void>;
};

type PriceServiceDeps = {
  /** In the order in which they are asked. */
  readonly sources: readonly PriceSource[];
  readonly fxSources: readonly FxSource[];
  readonly store: PriceStore;
  readonly now: () => Date;
  readonly log: { warn(details: object, message: string): void };
};

type HeldAsset = AssetRef & { readonly id: string };

/** A good price is asked for again after five minutes, a missing one after one. */
const HIT_TTL_MS = 5 * 60_000;
const MISS_TTL_MS = 60_000;
const RATES_TTL_MS = 30 * 60_000;

export function createPriceService(deps: PriceServiceDeps): PriceService {
  const { sources, fxSources, store, now } = deps;
  const health = createSourceHealth([...sources.map(({ id }) => `prices:${id}`), ...fxSources.map(({ id }) => `fx:${id}`)], now);
  const inFlight = new Map<string, Promise<void>>();
  let ratesInFlight: Promise<void> | undefined;
  const stopping = new AbortController();
  let ratesDueAt = 0;

  const updateRates = async (signal: AbortSignal): Promise<void> => {
    const rates = await fetchRates(deps, { signal, note: health.note });
    ratesDueAt = now().getTime() + (rates.length > 0 ? RATES_TTL_MS : MISS_TTL_MS);
    await store.saveRates(rates);
  };

  return {
    async refreshPrices(assets, signal) {
      const stored = await store.getPrices(assets.map((asset) => asset.id));
      const due = assets.filter((asset) => isDue(stored.get(asset.id), now()));
      const fresh = due.filter((asset) => !inFlight.has(asset.id));
      if (fresh.length > 0) {
        const work = updatePrices(deps, { assets: fresh, stored, signal: stopping.signal, note: health.note }).finally(() => {
          for (const { id } of fresh) inFlight.delete(id);
        });
        for (const { id } of fresh) inFlight.set(id, work);
      }
      await untilAborted(Promise.all(new Set(due.map((asset) => inFlight.get(asset.id)))), signal);
    },
    getPrices: (assetIds) => store.getPrices(assetIds),
    async refreshRates(signal) {
      if (now().getTime() < ratesDueAt) return;
      ratesInFlight ??= updateRates(stopping.signal).finally(() => {
        ratesInFlight = undefined;
      });
      await untilAborted(ratesInFlight, signal);
    },
    async getRate(currency) {
      return (await store.getRates([currency])).get(currency);
    },
    health: health.list,
    async stop() {
      stopping.abort();
      await Promise.allSettled([...inFlight.values(), ratesInFlight]);
    },
  };
}

/** No attempts: the last answer was good. */
function isDue(price: MarketPrice | undefined, now: Date): boolean {
  if (price?.checkedAt == null) return true;
  const ttlMs = price.attempts.length === 0 ? HIT_TTL_MS : MISS_TTL_MS;
  return now.getTime() - price.checkedAt.getTime() >= ttlMs;
}

/** Hears of the outcome of each call to a source: the failure's code, or undefined. */
type Note = (part: string, failure: string | undefined) => void;

type Update = {
  readonly assets: readonly HeldAsset[];
  readonly stored: ReadonlyMap<string, MarketPrice>;
  readonly signal: AbortSignal;
  readonly note: Note;
};

/** What the sources said of one asset so far: a quote to believe, those that jumped, and why others gave none. */
type Progress = { good: Quote | null; readonly jumped: Quote[]; readonly attempts: PriceAttempt[] };

async function updatePrices(deps: PriceServiceDeps, { assets, stored, signal, note }: Update): Promise<void> {
  const progress = new Map(
    assets.map((asset): [string, Progress] => [assetKey(asset), { good: null, jumped: [], attempts: [] }]),
  );
  const lastGood = new Map(assets.map((asset) => [assetKey(asset), stored.get(asset.id)?.lastGood ?? null]));
  for (const source of deps.sources) {
    const wanted = assets.filter((asset) => progress.get(assetKey(asset))?.good === null && source.supports(asset));
    if (wanted.length === 0) continue;
    const answers = await askSource(source, wanted, signal);
    const failure = findFailure(answers);
    note(`prices:${source.id}`, failure);
    if (failure !== undefined) deps.log.warn({ source: source.id, code: failure }, 'prices could not be read');
    for (const answer of answers) {
      const key = assetKey(answer.asset);
      const entry = progress.get(key);
      if ('refused' in answer) entry?.attempts.push(answer.refused);
      else if (entry !== undefined) weigh(entry, answer.quote, lastGood.get(key) ?? null);
    }
  }
  // What was given up says nothing about a source.
  if (signal.aborted) return;
  const checkedAt = deps.now();
  await deps.store.savePrices(
    new Map(assets.map((asset) => [asset.id, toMarketPrice(progress.get(assetKey(asset)), stored.get(asset.id), checkedAt)])),
  );
}

/** A source that breaks its word and throws has failed for all that it was asked. */
async function askSource(
  source: PriceSource,
  assets: readonly HeldAsset[],
  signal: AbortSignal,
): Promise<readonly PriceAnswer[]> {
  try {
    return await source.fetchPrices(assets, signal);
  } catch (error) {
    const { code } = toAppError(error);
    return assets.map((asset) => ({ asset, refused: { source: source.id, reason: 'source_failed', detail: code } }));
  }
}

function findFailure(answers: readonly PriceAnswer[]): string | undefined {
  for (const answer of answers) {
    if ('refused' in answer && answer.refused.reason === 'source_failed') return answer.refused.detail ?? 'source_failed';
  }
  return undefined;
}

/** A quote that jumped is kept apart, and believed only when another source says nearly the same. */
function weigh(entry: Progress, quote: Quote, lastGood: Quote | null): void {
  if (!isPriceJump(lastGood, quote) || entry.jumped.some(({ value }) => agree(value, quote.value))) {
    entry.good = quote;
    return;
  }
  entry.jumped.push(quote);
  entry.attempts.push({ source: quote.source, reason: 'price_jump', detail: quote.value.toFixed() });
}

function toMarketPrice(entry: Progress | undefined, stored: MarketPrice | undefined, checkedAt: Date): MarketPrice {
  if (entry?.good != null) return { lastGood: entry.good, suspect: null, checkedAt, attempts: [] };
  const noSource: PriceAttempt = { source: 'none', reason: 'no_source' };
  const attempts = entry === undefined || entry.attempts.length === 0 ? [noSource] : entry.attempts;
  const suspect = entry?.jumped[0] ?? stored?.suspect ?? null;
  return { lastGood: stored?.lastGood ?? null, suspect, checkedAt, attempts };
}

/** The first source that has a currency tells its rate. A rate that jumped is left out, so that the last good one stays, unless two sources agree. */
async function fetchRates(deps: PriceServiceDeps, { signal, note }: Pick<Update, 'signal' | 'note'>): Promise<readonly FxRate[]> {
  const fetched: FxRate[] = [];
  for (const source of deps.fxSources) {
    try {
      fetched.push(...(await source.fetchRates(signal)).values());
      note(`fx:${source.id}`, undefined);
    } catch (error) {
      const { code } = toAppError(error);
      note(`fx:${source.id}`, code);
      deps.log.warn({ source: source.id, code }, 'currency rates could not be read');
    }
  }
  const byCurrency = Map.groupBy(fetched, (rate) => rate.currency);
  const known = await deps.store.getRates([...byCurrency.keys()]);
  return [...byCurrency].flatMap(([currency, rates]) => chooseRate(rates, known.get(currency)) ?? []);
}

function chooseRate(rates: readonly FxRate[], known: FxRate | undefined): FxRate | undefined {
  const entry: Progress = { good: null, jumped: [], attempts: [] };
  const lastGood = known === undefined ? null : toQuote(known);
  for (const rate of rates) {
    const quote = toQuote(rate);
    if (quote !== null) weigh(entry, quote, lastGood);
    if (entry.good !== null) return rate;
  }
  return undefined;
}

function toQuote({ perUsd, source, quotedAt }: FxRate): Quote | null {
  const value = parseDecimal(perUsd);
  return value === undefined ? null : { value, source, quotedAt };
}

/** The outcome of the last call to each source, for people. */
function createSourceHealth(names: readonly string[], now: () => Date): { readonly note: Note; list(): readonly HealthPart[] } {
  const parts = new Map<string, HealthPart>(
    names.map((name) => [name, { name, status: 'unknown', checkedAt: null, error: null, block: null, inUse: true }]),
  );
  return {
    note(name, failure) {
      const provider = name.slice(name.indexOf(':') + 1);
      const error = failure === undefined ? null : { code: failure, provider };
      parts.set(name, { name, status: error === null ? 'ok' : 'degraded', checkedAt: now(), error, block: null, inUse: true });
    },
    list: () => [...parts.values()],
  };
}
