import type { AssetInfo } from '../domain/asset.ts';
import type { Block, Reading, SourceError, SourceKind } from '../domain/holding.ts';

export type BalanceQuery = {
  /** Canonical addresses, without repeats. */
  readonly addresses: readonly string[];
  /** Canonical token addresses to ask for. A source that finds all tokens itself (Solana) ignores them. */
  readonly tokens: readonly string[];
  readonly signal: AbortSignal;
};

/** One address's outcome for one kind of source. See SourceReading in `domain/holding.ts`. */
export type AddressReading = { readonly address: string; readonly kind: SourceKind } & (
  | { readonly status: 'ok'; readonly exhaustive: boolean; readonly readings: readonly Reading[] }
  | { readonly status: 'failed' | 'unsupported'; readonly error: SourceError }
);

/** All figures of one answer were read at `block`; it is null only when every address failed. */
export type ChainReading = {
  readonly block: Block | null;
  readonly observedAt: Date;
  readonly addresses: readonly AddressReading[];
};

/** What the chain says a token is; `not_a_token` when nothing there behaves like one. */
export type TokenDescription =
  | { readonly status: 'ok'; readonly info: AssetInfo }
  | { readonly status: 'not_a_token' }
  | { readonly status: 'failed'; readonly error: SourceError };

/** One chain as the services see it. Implementations never throw for a chain's fault except where said: they report it. */
export type BalanceSource = {
  readonly chain: string;
  /** Which kinds `readBalances` reports for every address. */
  readonly kinds: readonly SourceKind[];
  /** Reads all addresses at one block, in as few requests as the endpoints allow. Zero amounts are readings too. */
  readBalances(query: BalanceQuery): Promise<ChainReading>;
  /** Describes tokens by canonical address, in batches. The map has an entry for each address asked. */
  describeTokens(addresses: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, TokenDescription>>;
  /** Whether the endpoints answer at all: the newest block, or the error of the last endpoint tried. */
  probe(signal: AbortSignal): Promise<{ readonly block: Block } | { readonly error: SourceError }>;
};

/** Looks a human name up on a chain. */
export type NameResolver = {
  /** True for names in this resolver's namespace (`vitalik.eth`, `toly.sol`). */
  supports(name: string): boolean;
  /** The canonical address, or null when the name exists in no registry. Throws AppError when the chain cannot be asked. */
  resolve(name: string, signal: AbortSignal): Promise<string | null>;
};
