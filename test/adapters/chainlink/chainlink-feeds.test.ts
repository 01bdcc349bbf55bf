import { getAddress } from 'ethers/address';
import { expect, test } from 'vitest';
import { currencyFeeds, priceFeeds } from '../../../src/adapters/chainlink/chainlink-feeds.ts';
import { findChain } from '../../../src/domain/chains.ts';
import { findListedToken } from '../../../src/domain/token-list.ts';

/** Symbols that stand for what the feed prices: wrapped forms, and names that a bridge or a rename gave. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  ETH: ['WETH'],
  BTC: ['WBTC'],
  DAI: ['xDAI', 'WxDAI'],
  USDT: ['USDt', 'USD₮0', 'USDT0'],
  SOL: ['WSOL'],
  BNB: ['WBNB'],
  MATIC: ['POL', 'WPOL', 'WMATIC'],
  AVAX: ['WAVAX'],
};

const priced = Object.entries(priceFeeds).flatMap(([pair, feed]) => feed.assets.map((key) => [pair, key] as const));

test.each(priced)('%s prices what it is named after: %s', (pair, key) => {
  const [slug = '', address = ''] = key.split('/');
  const chain = findChain(slug);
  const canonical = chain?.family === 'evm' && address !== 'native' ? getAddress(address) : address;
  const symbol = address === 'native' ? chain?.native.symbol : findListedToken(slug, canonical)?.symbol;
  const [base = ''] = pair.split(' / ');
  const names = [base, ...(OTHER_NAMES[base] ?? [])].map((name) => name.toUpperCase());
  expect(names).toContain(symbol?.toUpperCase());
});

test('prices no asset by two feeds', () => {
  expect(new Set(priced.map(([, key]) => key)).size).toBe(priced.length);
});

test('names feeds by sound addresses', () => {
  const addresses = [...Object.values(priceFeeds).map((feed) => feed.address), ...Object.values(currencyFeeds)];
  for (const address of addresses) expect(getAddress(address)).toBe(address);
});
