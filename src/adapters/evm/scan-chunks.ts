import type { ScanChunk } from './scan-codec.ts';

/** One token's chunks are not cut below this many wallets: that many plain calls fit into one batch. */
const WALLETS_ALONE = 50;

/** Cuts wallets x tokens into chunks of at most so many slots, whole wallets together as far as it goes. */
export function cutChunk(all: ScanChunk, slots: number): readonly ScanChunk[] {
  const { wallets, tokens } = all;
  const tokensPerCall = Math.max(1, slots - 1);
  const chunks: ScanChunk[] = [];
  for (let from = 0; from < Math.max(tokens.length, 1); from += tokensPerCall) {
    const someTokens = tokens.slice(from, from + tokensPerCall);
    const walletsPerCall = Math.max(1, Math.floor(slots / (someTokens.length + 1)));
    for (let at = 0; at < wallets.length; at += walletsPerCall) {
      chunks.push({ wallets: wallets.slice(at, at + walletsPerCall), tokens: someTokens });
    }
  }
  return chunks;
}

/** The halves of a chunk, by token first: that finds a token at fault for all wallets at once. Undefined when it is small enough to be read call by call. */
export function halveChunk({ wallets, tokens }: ScanChunk): readonly [ScanChunk, ScanChunk] | undefined {
  if (tokens.length > 1) {
    const middle = Math.ceil(tokens.length / 2);
    return [
      { wallets, tokens: tokens.slice(0, middle) },
      { wallets, tokens: tokens.slice(middle) },
    ];
  }
  if (wallets.length <= WALLETS_ALONE) return undefined;
  const middle = Math.ceil(wallets.length / 2);
  return [
    { wallets: wallets.slice(0, middle), tokens },
    { wallets: wallets.slice(middle), tokens },
  ];
}
