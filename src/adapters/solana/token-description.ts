import { address, getProgramDerivedAddress } from '@solana/addresses';
import { AppError } from '../../domain/errors.ts';
import { toSourceError } from '../../domain/holding.ts';
import type { TokenDescription } from '../balance-source.ts';
import { collect } from './collect.ts';
import { METADATA_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './programs.ts';
import type { ReadContext } from './read-context.ts';
import { malformed, type RpcAccount } from './rpc-account.ts';
import { bytesOfAddress } from './solana-address.ts';
import { type FetchOptions, fetchAccounts } from './solana-rpc.ts';
import { MINT_SLICE, readTokenMint, type TokenMint } from './token-layout.ts';
import { METAPLEX_SLICE, readMetadataExtension, readMetaplexMetadata, type TokenNames } from './token-names.ts';

/**
 * What each mint says of itself: decimals and traits from the mint, names from its metadata extension or else from Metaplex's account.
 */
export async function describeMints(
  addresses: readonly string[],
  { chain, pool, signal }: ReadContext,
): Promise<ReadonlyMap<string, TokenDescription>> {
  const outcomes = await collect<TokenDescription>(addresses, {
    pool,
    signal,
    fetch: (missing, endpoint) => describeFrom(missing, chain.slug, { endpoint, signal, minSlot: 0n }),
  });
  return new Map(
    [...outcomes].map(([mint, outcome]) => [
      mint,
      outcome instanceof AppError ? { status: 'failed', error: toSourceError(outcome) } : outcome,
    ]),
  );
}

type Outcomes = ReadonlyMap<string, TokenDescription | AppError>;

async function describeFrom(addresses: readonly string[], chain: string, options: FetchOptions): Promise<Outcomes> {
  const accounts = await fetchAccounts(addresses, MINT_SLICE, options);
  const mints = new Map<string, Mint>();
  for (const [mint, outcome] of accounts) {
    const found = outcome instanceof AppError ? undefined : readMint(outcome.value);
    if (found !== undefined) mints.set(mint, found);
  }
  const nameless = [...mints].flatMap(([mint, { metadata }]) => (metadata === null ? [mint] : []));
  const names = await fetchMetaplexNames(nameless, options);
  const describe = (mint: string): TokenDescription | AppError => {
    const account = accounts.get(mint) ?? malformed(options.endpoint.name);
    if (account instanceof AppError) return account;
    const found = mints.get(mint);
    if (found === undefined) return { status: 'not_a_token' };
    const metaplex = names.get(mint) ?? null;
    return metaplex instanceof AppError ? metaplex : toDescription({ chain, address: mint }, found, metaplex);
  };
  return new Map(addresses.map((mint) => [mint, describe(mint)]));
}

type Mint = TokenMint & { readonly standard: 'spl' | 'spl-2022' };

function readMint(account: RpcAccount | null): Mint | undefined {
  if (account?.program !== TOKEN_PROGRAM && account?.program !== TOKEN_2022_PROGRAM) return undefined;
  const mint = readTokenMint(account.data);
  return mint === undefined ? undefined : { ...mint, standard: account.program === TOKEN_PROGRAM ? 'spl' : 'spl-2022' };
}

/** The names that Metaplex's accounts give to mints; null where there is no such account. */
async function fetchMetaplexNames(
  mints: readonly string[],
  options: FetchOptions,
): Promise<ReadonlyMap<string, TokenNames | AppError | null>> {
  const names = new Map<string, TokenNames | AppError | null>();
  const accountOf = new Map<string, string>();
  for (const mint of mints) accountOf.set(mint, await metaplexAddress(mint));
  const accounts = await fetchAccounts([...accountOf.values()], METAPLEX_SLICE, options);
  for (const [mint, account] of accountOf) {
    const outcome = accounts.get(account) ?? malformed(options.endpoint.name);
    if (outcome instanceof AppError) names.set(mint, outcome);
    else if (outcome.value?.program !== METADATA_PROGRAM) names.set(mint, null);
    else names.set(mint, readMetaplexMetadata(outcome.value.data, mint));
  }
  return names;
}

/** The account in which Metaplex keeps a mint's metadata. */
export async function metaplexAddress(mint: string): Promise<string> {
  const seeds = ['metadata', bytesOfAddress(METADATA_PROGRAM), bytesOfAddress(mint)];
  const [account] = await getProgramDerivedAddress({ programAddress: address(METADATA_PROGRAM), seeds });
  return account;
}

function toDescription(ref: { chain: string; address: string }, mint: Mint, metaplex: TokenNames | null): TokenDescription {
  const { metadata, standard, decimals, flags } = mint;
  const names = metadata === null ? metaplex : readMetadataExtension(metadata, ref.address);
  const info = {
    ...ref,
    standard,
    symbol: names?.symbol ?? null,
    name: names?.name ?? null,
    decimals,
    flags: [...flags, ...(names?.flags ?? [])],
  };
  return { status: 'ok', info };
}
