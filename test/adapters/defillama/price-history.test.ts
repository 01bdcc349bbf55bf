import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type PriceServer, startPriceServer } from '../../../localnet/price-server.ts';
import { createDefillamaPriceHistory } from '../../../src/adapters/defillama/price-history.ts';
import type { HistoryNeed, PriceHistorySource } from '../../../src/adapters/price-history.ts';
import type { AssetRef } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';

const ETHER: AssetRef = { chain: 'ethereum', address: null };
const USDC: AssetRef = { chain: 'ethereum', address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48' };
const USDC_COIN = `ethereum:${USDC.address?.toLowerCase()}`;
const signal = new AbortController().signal;
const MINUTE_MS = 60_000;
const HOUR_SECONDS = 3_600;

/** The end of the n-th day of a year. */
const day = (count: number): Date => new Date(Date.UTC(2025, 0, 1 + count) - 1);
const minutesBefore = (moment: Date, minutes: number): Date =>
  new Date(Math.floor(moment.getTime() / 1000) * 1000 - minutes * MINUTE_MS);

let prices: PriceServer;
let source: PriceHistorySource;
beforeAll(async () => {
  prices = await startPriceServer();
  source = createDefillamaPriceHistory({ baseUrl: prices.defillamaUrl, http: createHttpClient(), chains });
});
beforeEach(() => prices.setFault('defillama', 'none'));
afterAll(() => prices.close());

async function quotes(needs: readonly HistoryNeed[], withinSeconds = HOUR_SECONDS): Promise<readonly string[]> {
  const found = await source.fetchQuotes({ needs, withinSeconds }, signal);
  return found.map(
    ({ asset, quote }) => `${asset.address ?? 'coin'} ${quote.value.toFixed()} ${quote.quotedAt.toISOString()} ${quote.source}`,
  );
}

describe('past prices of DefiLlama', () => {
  it('are those quoted last before each moment, at their own time, to the last digit', async () => {
    prices.setPastPrice('coingecko:ethereum', minutesBefore(day(1), 20), '3333.123456789012345678');
    prices.setPastPrice('coingecko:ethereum', minutesBefore(day(2), 59), '3400');
    prices.setPastPrice(USDC_COIN, minutesBefore(day(1), 5), '0.9998');
    const needs = [
      { asset: ETHER, moments: [day(1), day(2)] },
      { asset: USDC, moments: [day(1)] },
    ];
    expect(await quotes(needs)).toEqual([
      `coin 3333.123456789012345678 ${minutesBefore(day(1), 20).toISOString()} defillama`,
      `coin 3400 ${minutesBefore(day(2), 59).toISOString()} defillama`,
      `${USDC.address} 0.9998 ${minutesBefore(day(1), 5).toISOString()} defillama`,
    ]);
  });

  it('are never those of after the moment, nor those too long before it', async () => {
    prices.setPastPrice('coingecko:ethereum', minutesBefore(day(5), -1), '5000');
    prices.setPastPrice('coingecko:ethereum', minutesBefore(day(6), 90), '6000');
    const needs = [{ asset: ETHER, moments: [day(5), day(6)] }];
    expect(await quotes(needs)).toEqual([]);
    expect(await quotes([{ asset: ETHER, moments: [day(6)] }], 12 * HOUR_SECONDS)).toEqual([
      `coin 6000 ${minutesBefore(day(6), 90).toISOString()} defillama`,
    ]);
  });

  it('are asked for in few requests of a length that servers take', async () => {
    const moments = Array.from({ length: 120 }, (_, index) => day(index + 20));
    for (const moment of moments) {
      prices.setPastPrice('coingecko:ethereum', minutesBefore(moment, 1), '1');
      prices.setPastPrice(USDC_COIN, minutesBefore(moment, 1), '1');
    }
    const asked = prices.requests.length;
    const found = await quotes([
      { asset: ETHER, moments },
      { asset: USDC, moments },
    ]);
    expect(found).toHaveLength(240);
    expect(prices.requests.length - asked).toBeLessThanOrEqual(6);
    expect(Math.max(...prices.requests.map((path) => path.length))).toBeLessThan(8_000);
  });

  it.each([
    ['down', 'upstream_unreachable'],
    ['status-429', 'upstream_rate_limited'],
    ['status-500', 'upstream_status'],
    ['html', 'upstream_malformed'],
    ['truncated', 'upstream_malformed'],
  ] as const)('fail as such when the vendor does (%s)', async (fault, code) => {
    prices.setFault('defillama', fault);
    await expect(quotes([{ asset: ETHER, moments: [day(1)] }])).rejects.toMatchObject({ code });
  });

  it.each(['unsure', 'value:0', 'value:-1', 'value:1e12', 'value:"much"', 'value:null'] as const)(
    'are left out when they are not to be believed (%s)',
    async (fault) => {
      prices.setPastPrice('coingecko:ethereum', minutesBefore(day(1), 20), '3333');
      prices.setFault('defillama', fault);
      expect(await quotes([{ asset: ETHER, moments: [day(1)] }])).toEqual([]);
    },
  );
});
