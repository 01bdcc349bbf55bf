import { getAddress } from 'ethers';
import { describe, expect, test } from 'vitest';
import { caip19 } from '../../src/domain/asset.ts';
import { chains, findChain } from '../../src/domain/chains.ts';

/** The reference part of CAIP-2 has at most 32 characters. */
const CAIP2 = /^[-a-z0-9]{3,8}:[-_a-zA-Z0-9]{1,32}$/;
const BASE58_32_BYTES = /^[1-9A-HJ-NP-Za-km-z]{43,44}$/;

test('slugs, CAIP-2 ids and vendors’ names are each one chain’s own', () => {
  for (const key of ['slug', 'caip2', 'name', 'defillamaSlug', 'coingeckoPlatform'] as const) {
    const values = chains.map((chain) => chain[key]);
    expect(new Set(values).size, key).toBe(chains.length);
  }
});

test('both families and the chains of the design are there', () => {
  expect(chains.map(({ slug }) => slug)).toEqual(
    expect.arrayContaining(['ethereum', 'base', 'arbitrum', 'optimism', 'polygon', 'bsc', 'avalanche', 'gnosis', 'solana']),
  );
});

test('a chain is found by its slug alone', () => {
  expect(findChain('ethereum')).toMatchObject({ caip2: 'eip155:1', name: 'Ethereum' });
  expect(findChain('Ethereum')).toBeUndefined();
  expect(findChain('__proto__')).toBeUndefined();
});

describe.each(chains.map((chain) => [chain.slug, chain] as const))('%s', (_, chain) => {
  test('has well-formed ids', () => {
    expect(chain.slug).toMatch(/^[a-z][a-z0-9-]*$/);
    expect(chain.caip2).toMatch(CAIP2);
    expect(caip19(chain, null)).toBe(`${chain.caip2}/slip44:${chain.native.slip44}`);
    if (chain.family === 'evm') expect(chain.caip2).toBe(`eip155:${chain.chainId}`);
    else expect(chain.caip2).toBe(`solana:${chain.genesisHash.slice(0, 32)}`);
  });

  test('has three public https endpoints at least, of three operators, without a key in them', () => {
    const urls = chain.defaultRpcUrls.map((url) => new URL(url));
    expect(new Set(urls.map(({ hostname }) => hostname.split('.').slice(-2).join('.'))).size).toBeGreaterThanOrEqual(3);
    for (const url of urls) {
      expect(url.protocol).toBe('https:');
      expect(`${url.username}${url.password}${url.search}`).toBe('');
      expect(url.pathname.split('/').filter((part) => part.length > 8)).toEqual([]);
    }
  });

  test('has a native coin and a pace that can be', () => {
    expect(chain.native.symbol).toMatch(/^[A-Z]{2,6}$/);
    expect(chain.native.decimals).toBe(chain.family === 'evm' ? 18 : 9);
    expect(chain.native.coingeckoId).toMatch(/^[a-z0-9-]+$/);
    expect(chain.finality.blockTimeMs).toBeGreaterThanOrEqual(100);
    expect(chain.finality.blockTimeMs).toBeLessThanOrEqual(15_000);
  });

  test('names its contracts and first block in canonical form', () => {
    if (chain.family === 'evm') expect(chain.multicall3).toBe(getAddress(chain.multicall3.toLowerCase()));
    else expect(chain.genesisHash).toMatch(BASE58_32_BYTES);
  });
});
