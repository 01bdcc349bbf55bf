import { type Asset, type AssetSettings, DEFAULT_ASSET_SETTINGS } from '../../src/domain/asset.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import type { Holding, SourceState } from '../../src/domain/holding.ts';
import type { FxReport, SourceReport } from '../../src/domain/portfolio.ts';
import type { Price } from '../../src/domain/price.ts';
import type { AssetContext } from '../../src/domain/valuation.ts';

/** A fixed moment; everything built here is fresh at it. */
export const NOW = new Date('2026-11-21T12:00:00Z');
const FRESH_SINCE = new Date('2026-11-21T11:45:00Z');

export function buildAsset(overrides: Partial<Asset> = {}): Asset {
  return {
    id: '0198a000-0000-7000-8000-000000000001',
    chain: 'ethereum',
    address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48',
    standard: 'erc20',
    symbol: 'USDC',
    name: 'USD Coin',
    decimals: 6,
    flags: [],
    listed: true,
    ...overrides,
  };
}

export function buildHolding(overrides: Partial<Holding> = {}): Holding {
  return {
    walletId: '0198b000-0000-7000-8000-000000000001',
    asset: buildAsset(),
    position: 'wallet',
    amountRaw: 1_000_000n,
    frozenRaw: 0n,
    ui: null,
    observedAt: NOW,
    block: { number: 100n, hash: '0xabc' },
    error: null,
    ...overrides,
  };
}

export function buildPrice(overrides: Partial<Price> = {}): Price {
  return { value: new Decimal(1), status: 'ok', source: 'defillama', quotedAt: NOW, reason: null, ...overrides };
}

export const MISSING_PRICE: Price = { value: null, status: 'missing', source: null, quotedAt: null, reason: 'not_quoted' };

export function buildContext(overrides: Partial<AssetContext> = {}): AssetContext {
  return {
    settings: buildSettings(),
    price: buildPrice(),
    spam: { isSpam: false, reasons: [], decidedBy: 'rules' },
    ...overrides,
  };
}

export function buildSettings(overrides: Partial<AssetSettings> = {}): AssetSettings {
  return { ...DEFAULT_ASSET_SETTINGS, ...overrides };
}

export function buildSourceState(overrides: Partial<SourceState> = {}): SourceState {
  return {
    walletId: '0198b000-0000-7000-8000-000000000001',
    chain: 'ethereum',
    kind: 'balances',
    observedAt: NOW,
    block: { number: 100n, hash: '0xabc' },
    lastAttemptAt: NOW,
    lastOutcome: 'ok',
    intervalSeconds: null,
    error: null,
    ...overrides,
  };
}

export function buildSourceReport(overrides: Partial<SourceReport> = {}): SourceReport {
  const { lastOutcome: _, intervalSeconds: __, ...state } = buildSourceState();
  return { ...state, status: 'ok', ageSeconds: 0, failedAssets: [], ...overrides };
}

export const USD: FxReport = { currency: 'USD', rate: new Decimal(1), source: null, quotedAt: null, status: 'ok' };

/** Valuation options under which a holding built here is fresh and told in US dollars. */
export const FRESH = { source: buildSourceState(), freshSince: FRESH_SINCE, perUsd: new Decimal(1) };
