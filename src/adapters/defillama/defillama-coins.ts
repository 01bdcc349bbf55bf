import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';

/** DefiLlama's name of an asset, EVM addresses in lower case; undefined for what it does not follow. */
export function coinOf(chains: readonly Chain[], { chain: slug, address }: AssetRef): string | undefined {
  const chain = chains.find((candidate) => candidate.slug === slug);
  if (chain === undefined) return undefined;
  if (address === null) return `coingecko:${chain.native.coingeckoId}`;
  if (chain.defillamaSlug === null) return undefined;
  return `${chain.defillamaSlug}:${chain.family === 'evm' ? address.toLowerCase() : address}`;
}

/** The name of a coin in an answer, as we write it. */
export function canonicalCoin(coin: string): string {
  return coin.includes(':0x') ? coin.toLowerCase() : coin;
}

/** DefiLlama's own measure, 0 to 1, of how hard a price is to move. Its SDK leaves out of totals what is below this, and so do we. */
const MIN_CONFIDENCE = 0.5;

/** Whether a price is to be believed by the confidence that came with it, as digits. */
export function isConfident(confidence: unknown): boolean {
  return typeof confidence !== 'string' || Number(confidence) >= MIN_CONFIDENCE;
}
