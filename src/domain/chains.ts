import type { Chain, EvmChain, NativeAsset } from './chain.ts';

/**
 * The chains that are known, as data. Ids, native assets, block times and official endpoints as in viem 2.57 (chain definitions) and
 * @lifi/data-types 7.1 (supported chains), SLIP-44 types from the SLIP-0044 registry. All EVM chains here have Multicall3 at its usual address.
 */
const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';

const ETHER: NativeAsset = { symbol: 'ETH', name: 'Ether', decimals: 18, slip44: 60, coingeckoId: 'ethereum' };

type EvmData = Omit<EvmChain, 'family' | 'caip2' | 'multicall3'>;

function evm(data: EvmData): EvmChain {
  return { ...data, family: 'evm', caip2: `eip155:${data.chainId}`, multicall3: MULTICALL3 };
}

/** In the order in which answers list them. */
export const chains: readonly Chain[] = [
  evm({
    slug: 'ethereum',
    name: 'Ethereum',
    chainId: 1,
    native: ETHER,
    defaultRpcUrls: [
      'https://ethereum-rpc.publicnode.com',
      'https://eth.drpc.org',
      'https://ethereum.reth.rs/rpc',
      'https://1rpc.io/eth',
    ],
    finality: { tag: 'finalized', blockTimeMs: 12_000 },
    defillamaSlug: 'ethereum',
    coingeckoPlatform: 'ethereum',
  }),
  evm({
    slug: 'base',
    name: 'Base',
    chainId: 8453,
    native: ETHER,
    defaultRpcUrls: ['https://mainnet.base.org', 'https://base-rpc.publicnode.com', 'https://base.drpc.org'],
    finality: { tag: 'finalized', blockTimeMs: 2_000 },
    defillamaSlug: 'base',
    coingeckoPlatform: 'base',
  }),
  evm({
    slug: 'arbitrum',
    name: 'Arbitrum One',
    chainId: 42_161,
    native: ETHER,
    defaultRpcUrls: ['https://arb1.arbitrum.io/rpc', 'https://arbitrum-one-rpc.publicnode.com', 'https://arbitrum.drpc.org'],
    finality: { tag: 'finalized', blockTimeMs: 250 },
    defillamaSlug: 'arbitrum',
    coingeckoPlatform: 'arbitrum-one',
  }),
  evm({
    slug: 'optimism',
    name: 'OP Mainnet',
    chainId: 10,
    native: ETHER,
    defaultRpcUrls: ['https://mainnet.optimism.io', 'https://optimism-rpc.publicnode.com', 'https://optimism.drpc.org'],
    finality: { tag: 'finalized', blockTimeMs: 2_000 },
    defillamaSlug: 'optimism',
    coingeckoPlatform: 'optimistic-ethereum',
  }),
  evm({
    slug: 'polygon',
    name: 'Polygon PoS',
    chainId: 137,
    native: { symbol: 'POL', name: 'POL', decimals: 18, slip44: 966, coingeckoId: 'polygon-ecosystem-token' },
    defaultRpcUrls: ['https://polygon-bor-rpc.publicnode.com', 'https://polygon.drpc.org', 'https://1rpc.io/matic'],
    finality: { tag: 'finalized', blockTimeMs: 2_000 },
    defillamaSlug: 'polygon',
    coingeckoPlatform: 'polygon-pos',
  }),
  evm({
    slug: 'bsc',
    name: 'BNB Smart Chain',
    chainId: 56,
    native: { symbol: 'BNB', name: 'BNB', decimals: 18, slip44: 714, coingeckoId: 'binancecoin' },
    defaultRpcUrls: [
      'https://bsc-rpc.publicnode.com',
      'https://bsc-dataseed.bnbchain.org',
      'https://bsc-dataseed1.defibit.io',
      'https://bsc-dataseed1.ninicoin.io',
    ],
    finality: { tag: 'finalized', blockTimeMs: 750 },
    defillamaSlug: 'bsc',
    coingeckoPlatform: 'binance-smart-chain',
  }),
  evm({
    slug: 'avalanche',
    name: 'Avalanche C-Chain',
    chainId: 43_114,
    native: { symbol: 'AVAX', name: 'Avalanche', decimals: 18, slip44: 9005, coingeckoId: 'avalanche-2' },
    defaultRpcUrls: [
      'https://api.avax.network/ext/bc/C/rpc',
      'https://avalanche-c-chain-rpc.publicnode.com',
      'https://avalanche.drpc.org',
    ],
    finality: { tag: 'finalized', blockTimeMs: 1_700 },
    defillamaSlug: 'avax',
    coingeckoPlatform: 'avalanche',
  }),
  evm({
    slug: 'gnosis',
    name: 'Gnosis',
    chainId: 100,
    native: { symbol: 'XDAI', name: 'xDAI', decimals: 18, slip44: 700, coingeckoId: 'xdai' },
    defaultRpcUrls: ['https://rpc.gnosischain.com', 'https://gnosis-rpc.publicnode.com', 'https://gnosis.drpc.org'],
    finality: { tag: 'finalized', blockTimeMs: 5_000 },
    defillamaSlug: 'xdai',
    coingeckoPlatform: 'xdai',
  }),
  evm({
    slug: 'linea',
    name: 'Linea',
    chainId: 59_144,
    native: ETHER,
    defaultRpcUrls: ['https://rpc.linea.build', 'https://linea-rpc.publicnode.com', 'https://linea.drpc.org'],
    finality: { tag: 'finalized', blockTimeMs: 2_000 },
    defillamaSlug: 'linea',
    coingeckoPlatform: 'linea',
  }),
  evm({
    slug: 'scroll',
    name: 'Scroll',
    chainId: 534_352,
    native: ETHER,
    defaultRpcUrls: ['https://rpc.scroll.io', 'https://scroll.drpc.org', 'https://1rpc.io/scroll'],
    finality: { tag: 'finalized', blockTimeMs: 3_000 },
    defillamaSlug: 'scroll',
    coingeckoPlatform: 'scroll',
  }),
  {
    slug: 'solana',
    name: 'Solana',
    family: 'solana',
    caip2: 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp',
    genesisHash: '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d',
    native: { symbol: 'SOL', name: 'Solana', decimals: 9, slip44: 501, coingeckoId: 'solana' },
    defaultRpcUrls: ['https://api.mainnet-beta.solana.com', 'https://solana-rpc.publicnode.com', 'https://solana.drpc.org'],
    finality: { tag: 'confirmed', blockTimeMs: 400 },
    defillamaSlug: 'solana',
    coingeckoPlatform: 'solana',
  },
];

const bySlug = new Map(chains.map((chain) => [chain.slug, chain]));

/** The chain of this slug, if it is known. */
export function findChain(slug: string): Chain | undefined {
  return bySlug.get(slug);
}
