import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type PriceFault, type PriceServer, startPriceServer } from '../../../localnet/price-server.ts';
import { createDefillamaPriceSource } from '../../../src/adapters/defillama/defillama-price-source.ts';
import type { PriceSource } from '../../../src/adapters/price-source.ts';
import { assetKey } from '../../../src/domain/asset.ts';
import { chains } from '../../../src/domain/chains.ts';
import { createHttpClient } from '../../../src/lib/http-client.ts';
import { byAsset, describePriceSource } from '../../contract/price-source.contract.ts';
import { DEAD_URL, ETHER, hurried, NOBODYS, SOLANA_USDC, SPOILERS, tokenOf, USDC } from '../price-fixtures.ts';

const now = (): Date => new Date();
const signal = new AbortController().signal;
const http = createHttpClient();
let server: PriceServer;
let source: PriceSource;

function sourceAt(baseUrl: string): PriceSource {
  return createDefillamaPriceSource({ baseUrl, http: hurried(http, 500), chains, now });
}

beforeAll(async () => {
  server = await startPriceServer();
  server.setPrice('ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48', '0.999812345678901234567890123456');
  server.setPrice('coingecko:ethereum', '3105.42');
  server.setPrice('solana:EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', '1.0');
  source = sourceAt(server.defillamaUrl);
});
afterEach(() => server.setFault('defillama', 'none'));
afterAll(async () => {
  await server?.close();
  await http.close();
});

describePriceSource('DefiLlama', async () => ({
  source,
  deadSource: sourceAt(DEAD_URL),
  quoted: [
    { asset: USDC, price: '0.999812345678901234567890123456' },
    { asset: ETHER, price: '3105.42' },
  ],
  unquoted: NOBODYS,
  spoil: async (how) => server.setFault('defillama', SPOILERS[how]),
  heal: async () => server.setFault('defillama', 'none'),
  close: async () => undefined,
}));

describe('a vendor that sends', () => {
  test.each<[PriceFault, string]>([
    ['down', 'upstream_unreachable'],
    ['hang', 'upstream_timeout'],
    ['status-500', 'upstream_status'],
    ['status-429', 'upstream_rate_limited'],
    ['html', 'upstream_malformed'],
    ['truncated', 'upstream_malformed'],
    ['value:NaN', 'upstream_malformed'],
  ])('%s has failed for all: %s', async (fault, code) => {
    server.setFault('defillama', fault);
    const refused = { source: 'defillama', reason: 'source_failed', detail: code };
    expect(await source.fetchPrices([USDC, ETHER], signal)).toEqual([
      { asset: USDC, refused },
      { asset: ETHER, refused },
    ]);
  });

  test.each<[PriceFault, string]>([
    ['value:"NaN"', 'quote_not_a_number'],
    ['value:null', 'quote_not_a_number'],
    ['value:{"usd":1}', 'quote_not_a_number'],
    ['value:[1]', 'quote_not_a_number'],
    ['value:true', 'quote_not_a_number'],
    ['value:"0x1"', 'quote_not_a_number'],
    ['value:1e999', 'quote_absurd'],
    ['value:1e-31', 'quote_absurd'],
    ['unsure', 'not_quoted'],
  ])('%s has no price: %s', async (fault, reason) => {
    server.setFault('defillama', fault);
    const [answer] = await source.fetchPrices([USDC], signal);
    expect(answer).toMatchObject({ asset: USDC, refused: { source: 'defillama', reason } });
  });

  test.each([
    ['1e-30', '0.000000000000000000000000000001'],
    ['1E+9', '1000000000'],
    ['"12.50"', '12.5'],
  ])('%s has a price', async (digits, price) => {
    server.setFault('defillama', `value:${digits}`);
    const [answer] = await source.fetchPrices([USDC], signal);
    expect(answer !== undefined && 'quote' in answer ? answer.quote.value.toFixed() : answer).toBe(price);
  });
});

test('asks for 200 assets in two requests, each coin once, and knows Solana mints by their case', async () => {
  const before = server.requests.length;
  const tokens = Array.from({ length: 197 }, (_, index) => tokenOf(index));
  for (const { address } of tokens) server.setPrice(`ethereum:${address?.toLowerCase()}`, '2');
  const natives = [ETHER, { chain: 'base', address: null }];
  const answers = byAsset(await source.fetchPrices([...natives, ...tokens, SOLANA_USDC], signal));
  expect(answers.size).toBe(200);
  expect([...answers.values()].filter((answer) => 'quote' in answer)).toHaveLength(200);
  expect(answers.get(assetKey(SOLANA_USDC))).toHaveProperty('quote');
  const asked = server.requests.slice(before);
  expect(asked).toHaveLength(2);
  expect(asked.join().split('coingecko%3Aethereum')).toHaveLength(2);
  expect(Math.max(...asked.map((path) => path.length))).toBeLessThan(8_000);
});

test('finds EVM addresses in whatever case they are answered', async () => {
  const shouting = createDefillamaPriceSource({
    baseUrl: 'http://prices.example',
    http: {
      send: async () => ({ status: 200, headers: {}, body: `{"coins":{"ethereum:${USDC.address}":{"price":1.5}}}` }),
      close: async () => undefined,
    },
    chains,
    now,
  });
  expect(await shouting.fetchPrices([USDC], signal)).toMatchObject([{ quote: { source: 'defillama' } }]);
});

test.each(['[]', '{}', '{"coins":[]}', '{"coins":null}', '"coins"', '{"coins":{"ethereum:0x1":1}}', `${'['.repeat(100_000)}`])(
  'survives an answer of another shape: %.40s',
  async (body) => {
    const odd = createDefillamaPriceSource({
      baseUrl: 'http://prices.example',
      http: { send: async () => ({ status: 200, headers: {}, body }), close: async () => undefined },
      chains,
      now,
    });
    const [answer] = await odd.fetchPrices([USDC], signal);
    expect(answer).toMatchObject({ refused: { source: 'defillama' } });
  },
);

test('refuses a time that is none, and takes a quote without one as made now', async () => {
  const send = async (coin: string): Promise<unknown> => {
    const body = `{"coins":{"ethereum:0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48":${coin}}}`;
    const http = { send: async () => ({ status: 200, headers: {}, body }), close: async () => undefined };
    return (
      await createDefillamaPriceSource({ baseUrl: 'http://prices.example', http, chains, now }).fetchPrices([USDC], signal)
    )[0];
  };
  expect(await send('{"price":1,"timestamp":"soon"}')).toMatchObject({ refused: { reason: 'quote_not_a_number' } });
  expect(await send('{"price":1,"timestamp":{}}')).toMatchObject({ refused: { reason: 'quote_not_a_number' } });
  expect(await send('{"price":1,"timestamp":99999999999}')).toMatchObject({ refused: { reason: 'quote_from_future' } });
  expect(await send('{"price":1,"timestamp":""}')).toMatchObject({ refused: { reason: 'quote_not_a_number' } });
  expect(await send('{"price":1}')).toHaveProperty('quote');
});
