import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type PriceFault, type PriceServer, startPriceServer } from '../../../localnet/price-server.ts';
import { createCoingeckoApi } from '../../../src/adapters/coingecko/coingecko-api.ts';
import { createCoingeckoFxSource } from '../../../src/adapters/coingecko/coingecko-fx-source.ts';
import type { FxSource } from '../../../src/adapters/price-source.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';

const NOW = new Date('2026-11-21T12:00:00Z');
const signal = new AbortController().signal;
const http = createHttpClient();
let server: PriceServer;
let source: FxSource;

beforeAll(async () => {
  server = await startPriceServer();
  const rates = { usd: '97310.55', eur: '89720.3', jpy: '14985000.123456789012345', btc: '1.0', 'odd code': '1' };
  for (const [currency, perBitcoin] of Object.entries(rates)) server.setRate(currency, perBitcoin);
  const api = createCoingeckoApi({ baseUrl: server.coingeckoUrl, apiKey: null, http });
  source = createCoingeckoFxSource({ api, now: () => NOW });
});
afterEach(() => server.setFault('coingecko', 'none'));
afterAll(async () => {
  await server?.close();
  await http.close();
});

test('tells how much of each currency a dollar buys, to 18 digits', async () => {
  const rates = await source.fetchRates(signal);
  const rate = (currency: string, perUsd: string) => [currency, { currency, perUsd, source: 'coingecko', quotedAt: NOW }];
  expect([...rates]).toEqual([
    rate('USD', '1'),
    // Quotients by 97310.55, reckoned apart from this code.
    rate('EUR', '0.92199972151015486'),
    rate('JPY', '153.991526339711254456'),
    rate('BTC', '0.000010276378049451'),
  ]);
});

test.each<PriceFault>(['value:0', 'value:-1', 'value:null', 'value:"NaN"', 'value:{}', 'value:1e-900'])(
  'leaves out a currency at %s',
  async (fault) => {
    server.setFault('coingecko', fault);
    expect([...(await source.fetchRates(signal)).keys()]).toEqual(['USD']);
  },
);

test.each<[PriceFault, string]>([
  ['down', 'upstream_unreachable'],
  ['html', 'upstream_malformed'],
  ['truncated', 'upstream_malformed'],
  ['status-500', 'upstream_status'],
])('throws when the vendor sends %s', async (fault, code) => {
  server.setFault('coingecko', fault);
  await expect(source.fetchRates(signal)).rejects.toMatchObject({ code });
});

test.each(['{"rates":{}}', '{"rates":{"usd":{"value":0}}}', '{"rates":{"eur":{"value":1}}}', '[]', '{"rates":[]}'])(
  'throws when there is nothing to reckon with: %s',
  async (body) => {
    const api = createCoingeckoApi({
      baseUrl: 'http://prices.example',
      apiKey: null,
      http: { send: async () => ({ status: 200, headers: {}, body }), close: async () => undefined },
    });
    await expect(createCoingeckoFxSource({ api, now: () => NOW }).fetchRates(signal)).rejects.toMatchObject({
      code: 'upstream_malformed',
    });
  },
);
