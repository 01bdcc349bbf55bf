import { AccountRole, type Address, address, getAddressEncoder, type Instruction } from '@solana/kit';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../../src/adapters/solana/programs.ts';

/**
 * The few token-program instructions that the local node needs, written out by their published layouts (spl.solana.com, `instruction.rs` of both
 * programs): the client package of Token-2022 does not take this version of kit yet.
 */
export type TokenProgram = 'spl' | 'spl-2022';

const encoder = getAddressEncoder();

export function programOf(kind: TokenProgram): Address {
  return address(kind === 'spl' ? TOKEN_PROGRAM : TOKEN_2022_PROGRAM);
}

function instruction(kind: TokenProgram, data: readonly Uint8Array[], accounts: Instruction['accounts'] = []): Instruction {
  return { programAddress: programOf(kind), accounts, data: Buffer.concat(data) };
}

const writable = (key: Address) => ({ address: key, role: AccountRole.WRITABLE }) as const;
const readonly = (key: Address) => ({ address: key, role: AccountRole.READONLY }) as const;
const signer = (key: Address) => ({ address: key, role: AccountRole.READONLY_SIGNER }) as const;

/** Optional authorities are written as 32 bytes, zeros for none. */
const key = (value: Address): Uint8Array => new Uint8Array(encoder.encode(value));
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function u64(value: bigint): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(value);
  return buffer;
}

function i16(value: number): Uint8Array {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16LE(value);
  return buffer;
}

export function f64(value: number): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return buffer;
}

export function text(value: string): Uint8Array {
  const encoded = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(encoded.length);
  return Buffer.concat([length, encoded]);
}

/** InitializeMint2, with the same authority to mint and to freeze. */
export function initializeMint(kind: TokenProgram, mint: Address, decimals: number, authority: Address): Instruction {
  return instruction(kind, [bytes(20, decimals), key(authority), bytes(1), key(authority)], [writable(mint)]);
}

/** InitializeAccount3. */
export function initializeAccount(kind: TokenProgram, account: Address, mint: Address, owner: Address): Instruction {
  return instruction(kind, [bytes(18), key(owner)], [writable(account), readonly(mint)]);
}

export function mintTo(kind: TokenProgram, mint: Address, account: Address, authority: Address, amount: bigint): Instruction {
  return instruction(kind, [bytes(7), u64(amount)], [writable(mint), writable(account), signer(authority)]);
}

export function burn(kind: TokenProgram, account: Address, mint: Address, owner: Address, amount: bigint): Instruction {
  return instruction(kind, [bytes(8), u64(amount)], [writable(account), writable(mint), signer(owner)]);
}

export function freezeAccount(kind: TokenProgram, account: Address, mint: Address, authority: Address): Instruction {
  return instruction(kind, [bytes(10)], [writable(account), readonly(mint), signer(authority)]);
}

export function thawAccount(kind: TokenProgram, account: Address, mint: Address, authority: Address): Instruction {
  return instruction(kind, [bytes(11)], [writable(account), readonly(mint), signer(authority)]);
}

/** Extensions of a Token-2022 mint, to be set up before the mint itself. `size`: bytes the extension adds to the account. */
export type MintExtension = { readonly size: number; readonly initialize: (mint: Address, authority: Address) => Instruction };

const HEADER = 4;

export const extensions = {
  transferFee: (basisPoints: number): MintExtension => ({
    size: HEADER + 108,
    initialize: (mint, authority) =>
      instruction(
        'spl-2022',
        [bytes(26, 0, 1), key(authority), bytes(1), key(authority), i16(basisPoints), u64(1_000_000n)],
        [writable(mint)],
      ),
  }),
  interest: (basisPoints: number): MintExtension => ({
    size: HEADER + 52,
    initialize: (mint, authority) => instruction('spl-2022', [bytes(33, 0), key(authority), i16(basisPoints)], [writable(mint)]),
  }),
  scaled: (multiplier: number): MintExtension => ({
    size: HEADER + 56,
    initialize: (mint, authority) => instruction('spl-2022', [bytes(43, 0), key(authority), f64(multiplier)], [writable(mint)]),
  }),
  defaultFrozen: (): MintExtension => ({
    size: HEADER + 1,
    initialize: (mint) => instruction('spl-2022', [bytes(28, 0, 2)], [writable(mint)]),
  }),
  permanentDelegate: (): MintExtension => ({
    size: HEADER + 32,
    initialize: (mint, authority) => instruction('spl-2022', [bytes(35), key(authority)], [writable(mint)]),
  }),
  metadataPointer: (): MintExtension => ({
    size: HEADER + 64,
    initialize: (mint, authority) => instruction('spl-2022', [bytes(39, 0), key(authority), key(mint)], [writable(mint)]),
  }),
};

/** UpdateMultiplier of a scaled mint, from a moment on (seconds of the chain's clock). */
export function updateMultiplier(mint: Address, authority: Address, multiplier: number, from: bigint): Instruction {
  return instruction('spl-2022', [bytes(43, 1), f64(multiplier), u64(from)], [writable(mint), signer(authority)]);
}

/** First eight bytes of sha256("spl_token_metadata_interface:initialize_account"). */
const INITIALIZE_METADATA = bytes(210, 225, 30, 162, 88, 184, 77, 141);

export function initializeMetadata(
  mint: Address,
  authority: Address,
  names: { name: string; symbol: string; uri: string },
): Instruction {
  return instruction(
    'spl-2022',
    [INITIALIZE_METADATA, text(names.name), text(names.symbol), text(names.uri)],
    [writable(mint), readonly(authority), readonly(mint), signer(authority)],
  );
}
