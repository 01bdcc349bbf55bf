import { getAddressEncoder, getProgramDerivedAddress, address as toAddress } from '@solana/kit';
import type { AssetFlag } from '../../domain/asset.ts';
import { toAppError } from '../../domain/errors.ts';
import { cleanTokenText } from '../../domain/token-text.ts';
import { chunk } from '../../lib/concurrency.ts';
import type { TokenDescription } from '../balance-source.ts';
import { METADATA_PROGRAM, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './programs.ts';
import { fetchAccounts, type RpcAccount } from './solana-rpc.ts';
import { readMetadataExtension, readMetaplexMetadata, readTokenMint, type TokenMint, type TokenNames } from './token-layout.ts';
import { MINT_SLICE, type ReadContext } from './wallet-reads.ts';

const MINTS_PER_ROUND = 1000;
const METADATA_SLICE = { offset: 0, length: 512 };

/** What each mint says of itself: decimals and traits from the mint, names from its metadata extension or else from Metaplex's account. */
export async function describeMints(
  addresses: readonly string[],
  context: ReadContext,
): Promise<ReadonlyMap<string, TokenDescription>> {
  const descriptions = new Map<string, TokenDescription>();
  for (const group of chunk(addresses, MINTS_PER_ROUND)) {
    try {
      for (const [address, description] of await describeGroup(group, context)) descriptions.set(address, description);
    } catch (error) {
      const { code, provider } = toAppError(error);
      for (const address of group) descriptions.set(address, { status: 'failed', error: { code, provider: provider ?? null } });
    }
  }
  return descriptions;
}

async function describeGroup(
  addresses: readonly string[],
  { chain, pool, signal }: ReadContext,
): Promise<Map<string, TokenDescription>> {
  return pool.run(async (endpoint) => {
    const options = { endpoint, signal, minSlot: 0n };
    const accounts = await fetchAccounts(addresses, { ...options, dataSlice: MINT_SLICE });
    const mints = new Map<string, Mint>();
    for (const { value } of accounts) {
      const mint = value === null ? undefined : readMint(value);
      if (value !== null && mint !== undefined) mints.set(value.address, mint);
    }
    const nameless = [...mints].filter(([, { mint }]) => mint.metadata === null).map(([address]) => address);
    const pdas = await Promise.all(nameless.map(metadataAddress));
    const metadata = await fetchAccounts(pdas, { ...options, dataSlice: METADATA_SLICE });
    const names = new Map(nameless.map((address, index) => [address, readMetaplex(metadata[index]?.value)]));
    return new Map(
      addresses.map((address) => [address, toDescription(chain.slug, address, mints.get(address), names.get(address))]),
    );
  }, signal);
}

type Mint = { readonly mint: TokenMint; readonly is2022: boolean };

function readMint({ owner, data }: RpcAccount): Mint | undefined {
  const mint = owner === TOKEN_PROGRAM || owner === TOKEN_2022_PROGRAM ? readTokenMint(data) : undefined;
  return mint === undefined ? undefined : { mint, is2022: owner === TOKEN_2022_PROGRAM };
}

function readMetaplex(account: RpcAccount | null | undefined): TokenNames | undefined {
  return account?.owner === METADATA_PROGRAM ? readMetaplexMetadata(account.data) : undefined;
}

const encoder = getAddressEncoder();

async function metadataAddress(mint: string): Promise<string> {
  const seeds = ['metadata', encoder.encode(toAddress(METADATA_PROGRAM)), encoder.encode(toAddress(mint))];
  const [pda] = await getProgramDerivedAddress({ programAddress: toAddress(METADATA_PROGRAM), seeds });
  return pda;
}

function toDescription(
  chain: string,
  address: string,
  found: Mint | undefined,
  metaplex: TokenNames | undefined,
): TokenDescription {
  if (found === undefined) return { status: 'not_a_token' };
  const { mint, is2022 } = found;
  const names = mint.metadata === null ? metaplex : readMetadataExtension(mint.metadata);
  const flags: AssetFlag[] = [...mint.flags];
  if (names?.isTruncated === true) flags.push('metadata_truncated');
  if (names !== undefined && /\uFFFD/.test(names.name + names.symbol)) flags.push('metadata_unreadable');
  return {
    status: 'ok',
    info: {
      chain,
      address,
      standard: is2022 ? 'spl-2022' : 'spl',
      symbol: names === undefined ? null : cleanTokenText(names.symbol),
      name: names === undefined ? null : cleanTokenText(names.name),
      decimals: mint.decimals,
      flags,
    },
  };
}
