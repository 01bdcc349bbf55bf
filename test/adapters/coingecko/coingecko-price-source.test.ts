import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type PriceFault, type PriceServer, startPriceServer } from '../../../localnet/price-server.ts';
import { createCoingeckoApi } from '../../../src/adapters/coingecko/coingecko-api.ts';
import { createCoingeckoPriceSource } from '../../../src/adapters/coingecko/coingecko-price-source.ts';
import type { PriceSource } from '../../../src/adapters/price-source.ts';
import { chains } from '../../../src/domain/chains.ts';
import { createHttpClient, type HttpRequest } from '../../../src/lib/http-client.ts';
import { describePriceSource } from '../../contract/price-source.contract.ts';
import { DEAD_URL, ETHER, hurried, NOBODYS, SOLANA_USDC, SPOILERS, tokenOf, USDC } from '../price-fixtures.ts';

const now = (): Date => new Date();
const signal = new AbortController().signal;
const http = createHttpClient();
let server: PriceServer;

function sourceAt(baseUrl: string, apiKey: string | null): PriceSource {
  const api = createCoingeckoApi({ baseUrl, apiKey, http: hurried(http, 500) });
  return createCoingeckoPriceSource({ api, chains, now });
}

beforeAll(async () => {
  server = await startPriceServer();
  server.setPrice('ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', '0.999812345678901234567890123456');
  server.setPrice('coingecko:ethereum', '3105.42');
  server.setPrice('solana:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', '1.0');
});
afterEach(() => server.setFault('coingecko', 'none'));
afterAll(async () => {
  await server?.close();
  await http.close();
});

describe.each([
  ['with a key', 'CG-demo'],
  ['without a key', null],
])('%s', (_, apiKey) => {
  let source: PriceSource;
  beforeEach(() => {
    source = sourceAt(server.coingeckoUrl, apiKey);
  });

  describePriceSource('CoinGecko', async () => ({
    source: sourceAt(server.coingeckoUrl, apiKey),
    deadSource: sourceAt(DEAD_URL, apiKey),
    quoted: [
      { asset: USDC, price: '0.999812345678901234567890123456' },
      { asset: ETHER, price: '3105.42' },
    ],
    unquoted: NOBODYS,
    spoil: async (how) => server.setFault('coingecko', SPOILERS[how]),
    heal: async () => server.setFault('coingecko', 'none'),
    close: async () => undefined,
  }));

  test.each<[PriceFault, string]>([
    ['down', 'upstream_unreachable'],
    ['hang', 'upstream_timeout'],
    ['status-500', 'upstream_status'],
    ['status-429', 'upstream_rate_limited'],
    ['html', 'upstream_malformed'],
    ['truncated', 'upstream_malformed'],
    ['value:NaN', 'upstream_malformed'],
  ])('a vendor that sends %s has failed for all: %s', async (fault, code) => {
    server.setFault('coingecko', fault);
    const refused = { source: 'coingecko', reason: 'source_failed', detail: code };
    expect(await source.fetchPrices([USDC, ETHER], signal)).toEqual(
      expect.arrayContaining([
        { asset: USDC, refused },
        { asset: ETHER, refused },
      ]),
    );
  });

  test.each<[PriceFault, string]>([
    ['wrong-currency', 'quote_wrong_currency'],
    ['value:"NaN"', 'quote_not_a_number'],
    ['value:{}', 'quote_not_a_number'],
    ['value:null', 'not_quoted'],
  ])('a quote of %s is refused: %s', async (fault, reason) => {
    server.setFault('coingecko', fault);
    expect(await source.fetchPrices([USDC], signal)).toEqual([{ asset: USDC, refused: { source: 'coingecko', reason } }]);
  });

  test('knows Solana mints by their case', async () => {
    expect(await source.fetchPrices([SOLANA_USDC], signal)).toMatchObject([{ quote: { source: 'coingecko' } }]);
  });

  test('leaves CoinGecko alone for a while when it says so', async () => {
    server.setFault('coingecko', 'status-429');
    await source.fetchPrices([ETHER], signal);
    server.setFault('coingecko', 'none');
    const asked = server.requests.length;
    expect(await source.fetchPrices([ETHER], signal)).toMatchObject([
      { refused: { reason: 'source_failed', detail: 'upstream_rate_limited' } },
    ]);
    expect(server.requests).toHaveLength(asked);
  });
});

describe('200 tokens of two chains', () => {
  const tokens = Array.from({ length: 200 }, (_, index) => tokenOf(index, index % 2 === 0 ? 'ethereum' : 'polygon'));
  beforeAll(() => {
    for (const { chain, address } of tokens) server.setPrice(`${chain}:${address?.toLowerCase()}`, '2');
  });

  test('cost two requests with a key', async () => {
    const before = server.requests.length;
    const answers = await sourceAt(server.coingeckoUrl, 'CG-demo').fetchPrices(tokens, signal);
    expect(answers.filter((answer) => 'quote' in answer)).toHaveLength(200);
    expect(server.requests.length - before).toBe(2);
  });

  test('cost two without one, and a list of the coins once a day', async () => {
    const before = server.requests.length;
    const source = sourceAt(server.coingeckoUrl, null);
    for (const round of [1, 2]) {
      const answers = await source.fetchPrices(tokens, signal);
      expect(answers.filter((answer) => 'quote' in answer)).toHaveLength(200);
      expect(server.requests.length - before).toBe(1 + 2 * round);
    }
    expect(server.requests.slice(before).filter((path) => path.includes('/coins/list'))).toHaveLength(1);
  });

  test('are asked for one by one, a few at a time, where there is neither key nor list', async () => {
    const before = server.requests.length;
    const listless = createCoingeckoApi({
      baseUrl: server.coingeckoUrl,
      apiKey: null,
      http: {
        ...http,
        send: async (request: HttpRequest) =>
          request.url.includes('/coins/list') ? { status: 404, headers: {}, body: '' } : http.send(request),
      },
    });
    const answers = await createCoingeckoPriceSource({ api: listless, chains, now }).fetchPrices([ETHER, ...tokens], signal);
    expect(answers).toHaveLength(201);
    expect(answers.filter((answer) => 'quote' in answer)).toHaveLength(10);
    expect(answers.filter((answer) => 'refused' in answer && answer.refused.detail === 'upstream_rate_limited')).toHaveLength(
      191,
    );
    expect(server.requests.length - before).toBe(10);
  });
});

test.each([
  ['https://api.coingecko.com/api/v3', 'x-cg-demo-api-key'],
  ['https://pro-api.coingecko.com/api/v3', 'x-cg-pro-api-key'],
])('sends the key to %s as %s, never in the URL', async (baseUrl, header) => {
  const sent: HttpRequest[] = [];
  const api = createCoingeckoApi({
    baseUrl,
    apiKey: 'CG-secret',
    http: {
      send: async (request) => {
        sent.push(request);
        return { status: 200, headers: {}, body: '{}' };
      },
      close: async () => undefined,
    },
  });
  await createCoingeckoPriceSource({ api, chains, now }).fetchPrices([ETHER, USDC], signal);
  expect(sent.map(({ headers }) => headers)).toEqual([{ [header]: 'CG-secret' }, { [header]: 'CG-secret' }]);
  expect(sent.map(({ url }) => url).join()).not.toContain('secret');
});
