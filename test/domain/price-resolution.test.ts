import { describe, expect, test } from 'vitest';
import type { AssetSettings } from '../../src/domain/asset.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import type { MarketPrice, Price, PriceAttempt, Quote } from '../../src/domain/price.ts';
import { resolvePrice } from '../../src/domain/price-resolution.ts';
import { buildSettings, NOW } from '../support/builders.ts';

const HOUR_MS = 3_600_000;
const minutesAgo = (minutes: number): Date => new Date(NOW.getTime() - minutes * 60_000);

function quote(value: string, minutes = 1, source = 'defillama'): Quote {
  return { value: new Decimal(value), source, quotedAt: minutesAgo(minutes) };
}

function market(overrides: Partial<MarketPrice> = {}): MarketPrice {
  return { lastGood: quote('2'), suspect: null, checkedAt: NOW, attempts: [], ...overrides };
}

function resolve(price: MarketPrice | undefined, settings: Partial<AssetSettings> = {}): Price {
  return resolvePrice({ market: price, settings: buildSettings(settings), now: NOW, staleAfterMs: HOUR_MS });
}

const failed: PriceAttempt = { source: 'defillama', reason: 'source_failed', detail: 'upstream_timeout' };
const unknown: PriceAttempt = { source: 'coingecko', reason: 'not_quoted' };
const jumped: PriceAttempt = { source: 'defillama', reason: 'price_jump', detail: '50' };

describe('a market price', () => {
  test('is ok while it is fresh', () => {
    expect(resolve(market())).toEqual({
      value: new Decimal(2),
      status: 'ok',
      source: 'defillama',
      quotedAt: minutesAgo(1),
      reason: null,
    });
  });

  test('stays ok when the last check failed but the quote is still fresh, and says why there is no newer one', () => {
    expect(resolve(market({ attempts: [failed] }))).toMatchObject({ status: 'ok', reason: 'source_failed' });
  });

  test('is stale after an hour, with why it was not renewed', () => {
    const old = { lastGood: quote('2', 61) };
    expect(resolve(market({ ...old, attempts: [unknown, failed] }))).toMatchObject({
      value: new Decimal(2),
      status: 'stale',
      quotedAt: minutesAgo(61),
      reason: 'source_failed',
    });
    expect(resolve(market({ ...old, attempts: [unknown] }))).toMatchObject({ status: 'stale', reason: 'not_quoted' });
  });

  test('is stale without a reason when nobody has asked since', () => {
    const price = market({ lastGood: quote('2', 90), checkedAt: minutesAgo(90) });
    expect(resolve(price)).toMatchObject({ status: 'stale', reason: null });
  });

  test('of a quiet token is stale when its source quotes an old price anew', () => {
    expect(resolve(market({ lastGood: quote('2', 300) }))).toMatchObject({ status: 'stale' });
  });

  test('of a feed that still stands by its last round is ok, and tells that round', () => {
    const round = quote('2', 20 * 60, 'chainlink');
    expect(resolve(market({ lastGood: round }))).toMatchObject({ status: 'ok', quotedAt: minutesAgo(20 * 60), reason: null });
    expect(resolve(market({ lastGood: round, checkedAt: minutesAgo(61) }))).toMatchObject({ status: 'stale' });
    expect(resolve(market({ lastGood: round, attempts: [failed] }))).toMatchObject({
      status: 'stale',
      reason: 'source_failed',
    });
  });
});

describe('a missing price', () => {
  test.each<[string, MarketPrice | undefined, string]>([
    ['nobody has asked', undefined, 'never_fetched'],
    ['nobody has answered', market({ lastGood: null, checkedAt: null }), 'never_fetched'],
    ['no source knows it', market({ lastGood: null, attempts: [unknown] }), 'not_quoted'],
    ['a source failed', market({ lastGood: null, attempts: [unknown, failed] }), 'source_failed'],
    ['there is no source', market({ lastGood: null, attempts: [{ source: 'none', reason: 'no_source' }] }), 'no_source'],
  ])('is null, never zero, when %s', (_, price, reason) => {
    expect(resolve(price)).toEqual({ value: null, status: 'missing', source: null, quotedAt: null, reason });
  });
});

describe('a quote that jumped', () => {
  const jump = market({ suspect: quote('50', 2), attempts: [jumped] });

  test('is shown in quarantine, with its own source and time', () => {
    expect(resolve(jump)).toEqual({
      value: new Decimal(50),
      status: 'quarantined',
      source: 'defillama',
      quotedAt: minutesAgo(2),
      reason: 'price_jump',
    });
  });

  test.each([
    ['50', 'ok'],
    ['5', 'ok'],
    ['500', 'ok'],
    ['4.99', 'quarantined'],
    ['501', 'quarantined'],
  ])('counts once the owner has accepted %s: %s', (value, status) => {
    const price = resolve(jump, { acceptedPrice: { value, acceptedAt: NOW } });
    expect(price).toMatchObject({ value: new Decimal(50), status });
  });

  test('goes stale like any other once accepted, and its jump is no reason any more', () => {
    const old = market({ suspect: quote('50', 61), attempts: [jumped, unknown] });
    expect(resolve(old, { acceptedPrice: { value: '50', acceptedAt: NOW } })).toMatchObject({
      status: 'stale',
      reason: 'not_quoted',
    });
  });
});

test('the price that the owner set wins over everything', () => {
  const manualPrice = { value: '0.25', setAt: minutesAgo(100_000) };
  for (const price of [undefined, market(), market({ suspect: quote('50') }), market({ lastGood: null })]) {
    expect(resolve(price, { manualPrice })).toEqual({
      value: new Decimal('0.25'),
      status: 'manual',
      source: 'manual',
      quotedAt: manualPrice.setAt,
      reason: null,
    });
  }
});
