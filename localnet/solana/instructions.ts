import { AccountRole, type Address, address, getAddressEncoder, getProgramDerivedAddress, type Instruction } from '@solana/kit';
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

function f64(value: number): Uint8Array {
  const buffer = Buffer.alloc(8);
  buffer.writeDoubleLE(value);
  return buffer;
}

function text(value: string): Uint8Array {
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

export function freezeAccount(kind: TokenProgram, account: Address, mint: Address, authority: Address): Instruction {
  return instruction(kind, [bytes(10)], [writable(account), readonly(mint), signer(authority)]);
}

export function thawAccount(kind: TokenProgram, account: Address, mint: Address, authority: Address): Instruction {
  return instruction(kind, [bytes(11)], [writable(account), readonly(mint), signer(authority)]);
}

/** Extensions of a Token-2022 mint, to be set up before the mint itself. `size`: bytes the extension adds to the account. */
export type MintExtension = { readonly size: number; readonly initialize: (mint: Address, authority: Address) => Instruction };

const HEADER = 4;

/** An extension of `size` bytes that one instruction on the mint alone sets up. */
function extension(size: number, data: (mint: Address, authority: Address) => readonly Uint8Array[]): MintExtension {
  return {
    size: HEADER + size,
    initialize: (mint, authority) => instruction('spl-2022', data(mint, authority), [writable(mint)]),
  };
}

export const extensions = {
  transferFee: (basisPoints: number): MintExtension =>
    extension(108, (_, authority) => [
      bytes(26, 0, 1),
      key(authority),
      bytes(1),
      key(authority),
      i16(basisPoints),
      u64(1_000_000n),
    ]),
  closeAuthority: (): MintExtension => extension(32, (_, authority) => [bytes(25, 1), key(authority)]),
  /** Accounts are approved by themselves; no auditor. */
  confidential: (): MintExtension =>
    extension(65, (_, authority) => [bytes(27, 0), key(authority), bytes(1), new Uint8Array(32)]),
  defaultFrozen: (): MintExtension => extension(1, () => [bytes(28, 0, 2)]),
  nonTransferable: (): MintExtension => extension(0, () => [bytes(32)]),
  interest: (basisPoints: number): MintExtension =>
    extension(52, (_, authority) => [bytes(33, 0), key(authority), i16(basisPoints)]),
  permanentDelegate: (): MintExtension => extension(32, (_, authority) => [bytes(35), key(authority)]),
  transferHook: (program: Address): MintExtension =>
    extension(64, (_, authority) => [bytes(36, 0), key(authority), key(program)]),
  metadataPointer: (): MintExtension => extension(64, (mint, authority) => [bytes(39, 0), key(authority), key(mint)]),
  scaled: (multiplier: number): MintExtension => extension(56, (_, authority) => [bytes(43, 0), key(authority), f64(multiplier)]),
  pausable: (): MintExtension => extension(33, (_, authority) => [bytes(44, 0), key(authority)]),
};

/** InitializeImmutableOwner, which accounts of a non-transferable mint need. */
export function initializeImmutableOwner(account: Address): Instruction {
  return instruction('spl-2022', [bytes(22)], [writable(account)]);
}

/** GetAccountDataSize of an account with an immutable owner, answered as return data: u64. */
export function getAccountDataSize(mint: Address): Instruction {
  return instruction('spl-2022', [bytes(21, 7, 0)], [readonly(mint)]);
}

/** AmountToUiAmount, answered as return data: text. */
export function amountToUiAmount(kind: TokenProgram, mint: Address, amount: bigint): Instruction {
  return instruction(kind, [bytes(23), u64(amount)], [readonly(mint)]);
}

/** UpdateRate of an interest-bearing mint, in basis points, from now on. */
export function updateInterestRate(mint: Address, authority: Address, basisPoints: number): Instruction {
  return instruction('spl-2022', [bytes(33, 1), i16(basisPoints)], [writable(mint), signer(authority)]);
}

const ASSOCIATED_TOKEN_PROGRAM = address('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL');
const SYSTEM_PROGRAM = address('11111111111111111111111111111111');

type AssociatedAccount = { readonly kind: TokenProgram; readonly mint: Address; readonly owner: Address };

/** The one account of an owner and mint that everybody can tell. */
export async function associatedAccount({ kind, mint, owner }: AssociatedAccount): Promise<Address> {
  const seeds = [key(owner), key(programOf(kind)), key(mint)];
  const [account] = await getProgramDerivedAddress({ programAddress: ASSOCIATED_TOKEN_PROGRAM, seeds });
  return account;
}

/** CreateIdempotent of the associated-token program. */
export function createAssociatedAccount(payer: Address, account: Address, { kind, mint, owner }: AssociatedAccount): Instruction {
  const accounts = [
    { address: payer, role: AccountRole.WRITABLE_SIGNER },
    writable(account),
    readonly(owner),
    readonly(mint),
    readonly(SYSTEM_PROGRAM),
    readonly(programOf(kind)),
  ];
  return { programAddress: ASSOCIATED_TOKEN_PROGRAM, accounts, data: bytes(1) };
}

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
