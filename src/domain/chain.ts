/** The families differ in how they are read; chains of one family differ only in data. */
export type ChainFamily = 'evm' | 'solana';

/** The chain's own coin. Its address is null everywhere. */
export type NativeAsset = {
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
  /** SLIP-44 coin type, for the CAIP-19 id. */
  readonly slip44: number;
  /** The coin's id at CoinGecko, which DefiLlama understands as `coingecko:<id>` too. */
  readonly coingeckoId: string;
};

type ChainBase = {
  /** The chain's name in URLs, configuration and the database: `ethereum`. */
  readonly slug: string;
  readonly name: string;
  /** CAIP-2 id: `eip155:1`. */
  readonly caip2: string;
  readonly native: NativeAsset;
  /** Public endpoints that need no key, best first. Used unless `<CHAIN>_RPC_URLS` is set. */
  readonly defaultRpcUrls: readonly string[];
  /** The chain's name at the price vendors; null where the vendor does not know it. */
  readonly defillamaSlug: string | null;
  readonly coingeckoPlatform: string | null;
};

export type EvmChain = ChainBase & {
  readonly family: 'evm';
  readonly chainId: number;
  /** Multicall3's address there. */
  readonly multicall3: string;
  /** Which block tag cannot be reorganised away in practice, and the usual time between blocks. */
  readonly finality: { readonly tag: 'finalized' | 'safe' | 'latest'; readonly blockTimeMs: number };
};

export type SolanaChain = ChainBase & {
  readonly family: 'solana';
  /** Base58 hash of the first block, by which the cluster is known. */
  readonly genesisHash: string;
  readonly finality: { readonly tag: 'confirmed' | 'finalized'; readonly blockTimeMs: number };
};

export type Chain = EvmChain | SolanaChain;
