import type { FxRate, FxSource, PriceAnswer, PriceSource } from '../adapters/price-source.ts';
import type { PriceStore } from '../db/price-store.ts';
import { type AssetRef, assetKey } from '../domain/asset.ts';
import { toAppError } from '../domain/errors.ts';
import type { MarketPrice, PriceAttempt, Quote } from '../domain/price.ts';
import { isPriceJump } from '../domain/quote-check.ts';
import type { HealthPart } from './health-service.ts';

export type PriceService = {
  /**
   * Asks the sources in order for every asset whose price is older than the time to live, each asset going on to the next source until one gives a
   * good quote, and stores the outcome. Concurrent calls for the same asset share one request. Never throws for a source's fault.
   */
  refreshPrices(assets: readonly (AssetRef & { readonly id: string })[], signal: AbortSignal): Promise<void>;
  /** What is stored, by asset id; no entry for what was never asked. */
  getPrices(assetIds: readonly string[]): Promise<ReadonlyMap<string, MarketPrice>>;
  /** Brings the rates up to date if they are older than the time to live. Never throws for a source's fault. */
  refreshRates(signal: AbortSignal): Promise<void>;
  /** The last known rate, undefined when no source ever gave one. USD needs no source. */
  getRate(currency: string): Promise<FxRate | undefined>;
  /** Outcome of the last call to each source. */
  health(): readonly HealthPart[];
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
const RATES_KEY = 'rates';

export function createPriceService(deps: PriceServiceDeps): PriceService {
  const { sources, fxSources, store, now } = deps;
  const health = createSourceHealth([...sources.map(({ id }) => id), ...fxSources.map(({ id }) => `fx:${id}`)], now);
  const inFlight = new Map<string, Promise<void>>();
  let ratesCheckedAt = 0;

  const refreshRates = async (signal: AbortSignal): Promise<void> => {
    for (const source of fxSources) {
      try {
        const rates = await source.fetchRates(signal);
        health.note(`fx:${source.id}`, undefined);
        if (rates.size === 0) continue;
        await store.saveRates([...rates.values()]);
        ratesCheckedAt = now().getTime();
        return;
      } catch (error) {
        const { code } = toAppError(error);
        health.note(`fx:${source.id}`, code);
        deps.log.warn({ source: source.id, code }, 'currency rates could not be read');
      }
    }
  };

  return {
    async refreshPrices(assets, signal) {
      const stored = await store.getPrices(assets.map((asset) => asset.id));
      const due = assets.filter((asset) => isDue(stored.get(asset.id), now()));
      const fresh = due.filter((asset) => !inFlight.has(asset.id));
      if (fresh.length > 0) {
        const work = updatePrices(deps, { assets: fresh, stored, signal, note: health.note }).finally(() => {
          for (const { id } of fresh) inFlight.delete(id);
        });
        for (const { id } of fresh) inFlight.set(id, work);
      }
      await Promise.all(new Set(due.map((asset) => inFlight.get(asset.id))));
    },
    getPrices: (assetIds) => store.getPrices(assetIds),
    async refreshRates(signal) {
      if (now().getTime() - ratesCheckedAt < RATES_TTL_MS) return;
      const work = inFlight.get(RATES_KEY) ?? refreshRates(signal).finally(() => inFlight.delete(RATES_KEY));
      inFlight.set(RATES_KEY, work);
      await work;
    },
    async getRate(currency) {
      return (await store.getRates([currency])).get(currency);
    },
    health: health.list,
  };
}

function isDue(price: MarketPrice | undefined, now: Date): boolean {
  if (price?.checkedAt == null) return true;
  const ttlMs = price.attempts.length === 0 ? HIT_TTL_MS : MISS_TTL_MS;
  return now.getTime() - price.checkedAt.getTime() >= ttlMs;
}

type Update = {
  readonly assets: readonly HeldAsset[];
  readonly stored: ReadonlyMap<string, MarketPrice>;
  readonly signal: AbortSignal;
  readonly note: (source: string, failure: string | undefined) => void;
};

/** What the sources said of one asset so far. */
type Progress = { good: Quote | null; suspect: Quote | null; readonly attempts: PriceAttempt[] };

function emptyProgress(): Progress {
  return { good: null, suspect: null, attempts: [] };
}

async function updatePrices({ sources, store, now }: PriceServiceDeps, { assets, stored, signal, note }: Update): Promise<void> {
  const progress = new Map(assets.map((asset) => [assetKey(asset), emptyProgress()]));
  for (const source of sources) {
    const wanted = assets.filter((asset) => progress.get(assetKey(asset))?.good === null && source.supports(asset));
    if (wanted.length === 0) continue;
    const answers = await source.fetchPrices(wanted, signal);
    const failure = answers.find((answer) => 'refused' in answer && answer.refused.reason === 'source_failed');
    note(source.id, failure !== undefined && 'refused' in failure ? (failure.refused.detail ?? 'source_failed') : undefined);
    const ids = new Map(wanted.map((asset) => [assetKey(asset), asset.id]));
    for (const answer of answers) {
      const key = assetKey(answer.asset);
      const entry = progress.get(key);
      if (entry !== undefined) weigh(entry, answer, stored.get(ids.get(key) ?? '')?.lastGood ?? null);
    }
  }
  const checkedAt = now();
  await store.savePrices(
    new Map(assets.map(({ id, ...asset }) => [id, toMarketPrice(progress.get(assetKey(asset)), stored.get(id), checkedAt)])),
  );
}

/** A quote that jumped is kept apart, and believed only when a second source says nearly the same. */
function weigh(entry: Progress, answer: PriceAnswer, lastGood: Quote | null): void {
  if ('refused' in answer) {
    entry.attempts.push(answer.refused);
  } else if (!isPriceJump(lastGood, answer.quote)) {
    entry.good = answer.quote;
    entry.suspect = null;
  } else if (entry.suspect !== null && agree(entry.suspect, answer.quote)) {
    entry.good = answer.quote;
    entry.suspect = null;
  } else {
    entry.suspect ??= answer.quote;
    entry.attempts.push({ source: answer.quote.source, reason: 'price_jump', detail: answer.quote.value.toFixed() });
  }
}

/** Two sources within a twentieth of each other. */
function agree(a: Quote, b: Quote): boolean {
  return a.value.minus(b.value).abs().isLessThanOrEqualTo(a.value.div(20));
}

function toMarketPrice(entry: Progress | undefined, stored: MarketPrice | undefined, checkedAt: Date): MarketPrice {
  const lastGood = entry?.good ?? stored?.lastGood ?? null;
  const noSource: PriceAttempt = { source: 'none', reason: 'no_source' };
  if (entry?.good != null) return { lastGood, suspect: null, checkedAt, attempts: [] };
  const attempts = entry === undefined || entry.attempts.length === 0 ? [noSource] : entry.attempts;
  return { lastGood, suspect: entry?.suspect ?? stored?.suspect ?? null, checkedAt, attempts };
}

/** The outcome of the last call to each source, for people. */
function createSourceHealth(
  ids: readonly string[],
  now: () => Date,
): { note(id: string, failure: string | undefined): void; list(): readonly HealthPart[] } {
  const parts = new Map<string, HealthPart>(
    ids.map((id) => [id, { name: `prices:${id}`, status: 'unknown', checkedAt: null, error: null, block: null }]),
  );
  return {
    note(id, failure) {
      const status = failure === undefined ? 'ok' : 'degraded';
      parts.set(id, {
        name: `prices:${id}`,
        status,
        checkedAt: now(),
        error: failure === undefined ? null : { code: failure, provider: id },
        block: null,
      });
    },
    list: () => [...parts.values()],
  };
}
