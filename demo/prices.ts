import { type PriceServer, startPriceServer } from '../localnet/price-server.ts';
import { BASE_USDC, TOKENS } from './ethereum.ts';
import { quotePast } from './past.ts';
import type { DemoSolana } from './solana.ts';
import { SOLANA_USDC } from './solana.ts';

/** A local price server that knows the demo's assets, in the vendors' own formats. */
export async function startPrices({
  farm,
  mints,
  now,
}: {
  readonly farm: string;
  readonly mints: DemoSolana['mints'];
  readonly now: Date;
}): Promise<PriceServer> {
  const server = await startPriceServer();
  const prices: Readonly<Record<string, string>> = {
    'coingecko:ethereum': '3105.42',
    'coingecko:bitcoin': '97310.55',
    'coingecko:solana': '182.07',
    [`ethereum:${TOKENS.usdc.address.toLowerCase()}`]: '0.9998',
    [`ethereum:${TOKENS.dai.address.toLowerCase()}`]: '1.0001',
    [`ethereum:${TOKENS.wbtc.address.toLowerCase()}`]: '97310.55',
    [`ethereum:${TOKENS.link.address.toLowerCase()}`]: '17.83',
    [`ethereum:${farm.toLowerCase()}`]: '0.42',
    [`base:${BASE_USDC.address.toLowerCase()}`]: '0.9999',
    [`solana:${SOLANA_USDC}`]: '0.9999',
    [`solana:${mints.bond}`]: '1.013',
    [`solana:${mints.split}`]: '121.5',
  };
  for (const [coin, price] of Object.entries(prices)) server.setPrice(coin, price);
  quotePast(server, new Map(Object.entries(prices)), now);
  for (const [currency, perBitcoin] of Object.entries({
    btc: '1',
    eth: '31.33571',
    usd: '97310.55',
    eur: '89720.3',
    gbp: '76530.1',
    jpy: '14985000',
    chf: '85400.9',
  })) {
    server.setRate(currency, perBitcoin);
  }
  return server;
}
