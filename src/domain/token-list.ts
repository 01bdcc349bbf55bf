import data from './data/token-list.json' with { type: 'json' };

/** A token of the curated list: what is looked for in every wallet of its chain. */
export type ListedToken = {
  /** Canonical form: EIP-55 for EVM, base58 for Solana. */
  readonly address: string;
  readonly symbol: string;
  readonly name: string;
  readonly decimals: number;
};

const byChain: ReadonlyMap<string, readonly ListedToken[]> = new Map(Object.entries(data.chains));
const byAddress = new Map([...byChain].map(([chain, tokens]) => [chain, new Map(tokens.map((token) => [token.address, token]))]));

/** The curated tokens of a chain, the best known first; none for a chain that is not known. */
export function listedTokens(chainSlug: string): readonly ListedToken[] {
  return byChain.get(chainSlug) ?? [];
}

/** The listed token at a canonical address. */
export function findListedToken(chainSlug: string, address: string): ListedToken | undefined {
  return byAddress.get(chainSlug)?.get(address);
}
