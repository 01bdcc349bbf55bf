import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type PriceServer, startPriceServer } from '../../../localnet/price-server.ts';
import { createDefillamaPriceHistory } from '../../../src/adapters/defillama/price-history.ts';
import type { FxHistorySource } from '../../../src/adapters/price-history.ts';
import { createHistoryStore } from '../../../src/db/history/history-store.ts';
import { createPriceHistoryStore } from '../../../src/db/history/price-history-store.ts';
import { chains } from '../../../src/domain/chains.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { createPastPrices, type PastPrices } from '../../../src/services/past/past-prices.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

const signal = new AbortController().signal;
/** The end of the n-th day of a year, to the second. */
const day = (count: number): Date => new Date(Date.UTC(2025, 0, 1 + count) - 1000);
const minutesBefore = (moment: Date, minutes: number): Date => new Date(moment.getTime() - minutes * 60_000);

let database: TestDatabase;
let vendor: PriceServer;
beforeAll(async () => {
  database = await createTestDatabase();
  vendor = await startPriceServer();
});
afterAll(async () => {
  await vendor.close();
  await database.close();
});
beforeEach(async () => {
  vendor.setFault('defillama', 'none');
  await database.db.deleteFrom('fx_points').execute();
});

function createPrices(fxSource: FxHistorySource | null): PastPrices {
  return createPastPrices({
    source: createDefillamaPriceHistory({ baseUrl: vendor.defillamaUrl, http: createHttpClient(), chains }),
    fxSource,
    store: createPriceHistoryStore(database.tenants),
  });
}

async function ratesOf(currency: string, moments: readonly Date[]): Promise<readonly (string | undefined)[]> {
  const rates = await createHistoryStore(database.tenants).readRates(currency, moments);
  return moments.map((_, place) => rates.get(place)?.toFixed());
}

it('knows bitcoin and ether of days of which nobody tells currencies', async () => {
  const moments = [day(1), day(2)];
  for (const moment of moments) {
    vendor.setPastPrice('coingecko:bitcoin', minutesBefore(moment, 20), '80000');
    vendor.setPastPrice('coingecko:ethereum', minutesBefore(moment, 20), '3200');
  }
  const prices = createPrices(null);
  await prices.fetchRates(moments, signal);
  expect(await ratesOf('BTC', moments)).toEqual(['0.0000125', '0.0000125']);
  expect(await ratesOf('ETH', moments)).toEqual(['0.0003125', '0.0003125']);
  const asked = vendor.requests.length;
  await prices.fetchRates(moments, signal);
  expect(vendor.requests.length).toBe(asked);
});

it('asks for currencies where only coins are known, and for no coin that came with them', async () => {
  const moments = [day(5)];
  vendor.setPastPrice('coingecko:bitcoin', minutesBefore(day(5), 20), '80000');
  vendor.setPastPrice('coingecko:ethereum', minutesBefore(day(5), 20), '3200');
  await createPrices(null).fetchRates(moments, signal);
  const told = (currency: string, perUsd: string) => ({
    currency,
    perUsd,
    source: 'chainlink',
    quotedAt: minutesBefore(day(5), 5),
  });
  const fxSource = { id: 'chainlink', fetchRatesAt: async () => [told('EUR', '0.9')] };
  await createPrices(fxSource).fetchRates(moments, signal);
  expect(await ratesOf('EUR', moments)).toEqual(['0.9']);

  await database.db.deleteFrom('fx_points').execute();
  const whole = { ...fxSource, fetchRatesAt: async () => [told('EUR', '0.9'), told('BTC', '0.00001'), told('ETH', '0.0003')] };
  await createPrices(whole).fetchRates(moments, signal);
  expect(await ratesOf('BTC', moments)).toEqual(['0.00001']);
});

it('goes on without them when the vendor is down', async () => {
  vendor.setFault('defillama', 'down');
  await createPrices(null).fetchRates([day(9)], signal);
  expect(await ratesOf('BTC', [day(9)])).toEqual([undefined]);
});
