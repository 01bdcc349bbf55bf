import { type Address, address, getAddressEncoder } from '@solana/kit';
import { nameAccount } from '../../src/adapters/solana/name-accounts.ts';
import { METADATA_PROGRAM, NAME_PROGRAM, SOL_DOMAIN, STAKE_PROGRAM } from '../../src/adapters/solana/programs.ts';
import { metaplexAddress } from '../../src/adapters/solana/token-description.ts';

/** An account of a program that the VM does not run, with the bytes that the program would have written. */
export type KnownAccount = { readonly at: Address; readonly program: Address; readonly data: Uint8Array };

const encoder = getAddressEncoder();
const key = (text: string): Uint8Array => new Uint8Array(encoder.encode(address(text)));
const NO_KEY = new Uint8Array(32);

export type MetaplexNames = {
  readonly name: string | Uint8Array;
  readonly symbol: string;
  /** The mint that the account says it belongs to, when it is not its own. */
  readonly mint?: string;
};

/** Metaplex's metadata of a mint: the names padded to 32 and 10 bytes as real ones are, longer ones as they come. */
export async function metaplexAccount(mint: string, names: MetaplexNames): Promise<KnownAccount> {
  const name = padded(Buffer.from(names.name), 32);
  const symbol = padded(Buffer.from(names.symbol), 10);
  const parts = [Uint8Array.of(4), NO_KEY, key(names.mint ?? mint), ...name, ...symbol, ...padded(Buffer.alloc(0), 200)];
  return { at: address(await metaplexAddress(mint)), program: address(METADATA_PROGRAM), data: Buffer.concat(parts) };
}

function padded(text: Buffer, size: number): readonly Uint8Array[] {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Math.max(size, text.length));
  return [length, text, Buffer.alloc(Math.max(0, size - text.length))];
}

/** A registered `.sol` name. */
export async function solNameAccount(label: string, owner: string): Promise<KnownAccount> {
  return namedAccount(await nameAccount(label, { parent: SOL_DOMAIN }), [SOL_DOMAIN, owner]);
}

/** Any account of the name service: its parent and owner, no class, and what it says. */
export function namedAccount(at: string, [parent, owner]: readonly [string, string], content = new Uint8Array()): KnownAccount {
  return { at: address(at), program: address(NAME_PROGRAM), data: Buffer.concat([key(parent), key(owner), NO_KEY, content]) };
}

/** A delegated stake account. */
export function stakeAccount(
  at: Address,
  { staker, withdrawer }: { readonly staker: string; readonly withdrawer: string },
): KnownAccount {
  const data = new Uint8Array(200);
  data[0] = 2;
  data.set(key(staker), 12);
  data.set(key(withdrawer), 44);
  return { at, program: address(STAKE_PROGRAM), data };
}
