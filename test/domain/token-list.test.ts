import { getAddress } from 'ethers';
import { describe, expect, test } from 'vitest';
import { chains } from '../../src/domain/chains.ts';
import { findListedToken, listedTokens } from '../../src/domain/token-list.ts';
import { cleanTokenText } from '../../src/domain/token-text.ts';

test('a token is found by its canonical address on its own chain only', () => {
  const usdc = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
  expect(findListedToken('ethereum', usdc)).toEqual({ address: usdc, symbol: 'USDC', name: 'USD Coin', decimals: 6 });
  expect(findListedToken('ethereum', usdc.toLowerCase())).toBeUndefined();
  expect(findListedToken('base', usdc)).toBeUndefined();
  expect(findListedToken('nowhere', usdc)).toBeUndefined();
  expect(listedTokens('nowhere')).toEqual([]);
});

/** Facts that anybody can check with the issuers. */
test.each([
  ['ethereum', '0xdAC17F958D2ee523a2206206994597C13D831ec7', 'USDT', 6],
  ['ethereum', '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2', 'WETH', 18],
  ['ethereum', '0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599', 'WBTC', 8],
  ['base', '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913', 'USDC', 6],
  ['arbitrum', '0xaf88d065e77c8cC2239327C5EDb3A432268e5831', 'USDC', 6],
  ['polygon', '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359', 'USDC', 6],
  ['bsc', '0x55d398326f99059fF775485246999027B3197955', 'USDT', 18],
  ['solana', 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v', 'USDC', 6],
])('%s lists %s as %s', (chain, address, symbol, decimals) => {
  expect(findListedToken(chain, address)).toMatchObject({ symbol, decimals });
});

describe.each(chains.map((chain) => [chain.slug, chain] as const))('%s', (slug, chain) => {
  const tokens = listedTokens(slug);

  test('lists some tokens, no more than 300, stablecoins first', () => {
    expect(tokens.length).toBeGreaterThan(10);
    expect(tokens.length).toBeLessThanOrEqual(300);
    expect(tokens[0]?.symbol).toBe('USDC');
  });

  test('has canonical addresses without repeats', () => {
    const addresses = tokens.map(({ address }) => address);
    expect(new Set(addresses).size).toBe(addresses.length);
    for (const address of addresses) {
      if (chain.family === 'evm') expect(address).toBe(getAddress(address.toLowerCase()));
      else expect(address).toMatch(/^[1-9A-HJ-NP-Za-km-z]{43,44}$/);
    }
  });

  test('has clean texts and decimals that can be', () => {
    for (const { symbol, name, decimals } of tokens) {
      expect(symbol).toBe(cleanTokenText(symbol));
      expect(name).toBe(cleanTokenText(name));
      expect(Number.isInteger(decimals) && decimals >= 0 && decimals <= 36).toBe(true);
    }
  });
});
