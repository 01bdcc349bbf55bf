import type { AssetFlag } from '../../domain/asset.ts';
import { addressAt } from './solana-address.ts';

/** What counts of a token account. Layout: spl.solana.com, `state::Account`; Token-2022 appends extensions behind byte 165. */
export type TokenAccount = { readonly mint: string; readonly amountRaw: bigint; readonly isFrozen: boolean };

export const ACCOUNT_SIZE = 165;
const MINT_SIZE = 82;
const FROZEN = 2;
const UNINITIALIZED = 0;

/** Reads a token account; undefined when the bytes are not one in use. */
export function readTokenAccount(data: Buffer): TokenAccount | undefined {
  if (data.length < ACCOUNT_SIZE) return undefined;
  const state = data.readUInt8(108);
  if (state === UNINITIALIZED || state > FROZEN) return undefined;
  return { mint: addressAt(data, 0), amountRaw: data.readBigUInt64LE(64), isFrozen: state === FROZEN };
}

/** How a mint displays amounts other than by its decimals. */
export type UiRule =
  | { readonly kind: 'scaled'; readonly multiplier: number; readonly next: { readonly multiplier: number; readonly at: bigint } }
  | {
      readonly kind: 'interest';
      readonly startedAt: bigint;
      readonly averageRate: number;
      readonly updatedAt: bigint;
      readonly currentRate: number;
    };

export type TokenMint = {
  readonly decimals: number;
  readonly flags: readonly AssetFlag[];
  readonly ui: UiRule | null;
  /** The metadata extension's bytes, where there is one. */
  readonly metadata: Buffer | null;
};

/** Extension types of Token-2022 (`ExtensionType`). */
const EXTENSION = { confidential: 4, metadata: 19, interest: 10, scaled: 25, defaultState: 6 } as const;
const FLAGS: ReadonlyMap<number, AssetFlag> = new Map([
  [1, 'transfer_fee'],
  [4, 'confidential'],
  [9, 'non_transferable'],
  [10, 'interest_bearing'],
  [12, 'permanent_delegate'],
  [14, 'transfer_hook'],
  [25, 'scaled_ui_amount'],
  [26, 'pausable'],
]);
const MINT_TYPE = 1;

/** Reads a mint of either token program; undefined when the bytes are not one in use. Extensions cut off at the end are left out. */
export function readTokenMint(data: Buffer): TokenMint | undefined {
  if (data.length < MINT_SIZE || data.readUInt8(45) !== 1) return undefined;
  if (data.length > MINT_SIZE && (data.length <= ACCOUNT_SIZE || data.readUInt8(ACCOUNT_SIZE) !== MINT_TYPE)) return undefined;
  const extensions = readExtensions(data);
  const flags = [...extensions.keys()].flatMap((type) => FLAGS.get(type) ?? []);
  if (extensions.get(EXTENSION.defaultState)?.[0] === FROZEN) flags.push('default_frozen');
  return {
    decimals: data.readUInt8(44),
    flags,
    ui: readScaled(extensions.get(EXTENSION.scaled)) ?? readInterest(extensions.get(EXTENSION.interest)),
    metadata: extensions.get(EXTENSION.metadata) ?? null,
  };
}

/** Type, length and value, one after the other from byte 166. */
function readExtensions(data: Buffer): ReadonlyMap<number, Buffer> {
  const extensions = new Map<number, Buffer>();
  let at = ACCOUNT_SIZE + 1;
  while (at + 4 <= data.length) {
    const type = data.readUInt16LE(at);
    const length = data.readUInt16LE(at + 2);
    if (type === 0) break;
    extensions.set(type, data.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return extensions;
}

function readScaled(value: Buffer | undefined): UiRule | null {
  if (value === undefined || value.length < 56) return null;
  const next = { multiplier: value.readDoubleLE(48), at: value.readBigInt64LE(40) };
  return { kind: 'scaled', multiplier: value.readDoubleLE(32), next };
}

function readInterest(value: Buffer | undefined): UiRule | null {
  if (value === undefined || value.length < 52) return null;
  return {
    kind: 'interest',
    startedAt: value.readBigInt64LE(32),
    averageRate: value.readInt16LE(40),
    updatedAt: value.readBigInt64LE(42),
    currentRate: value.readInt16LE(50),
  };
}

export type TokenNames = { readonly name: string; readonly symbol: string; readonly isTruncated: boolean };

/** Token-2022's metadata extension: update authority, mint, then name and symbol as length and bytes. */
export function readMetadataExtension(data: Buffer): TokenNames | undefined {
  return readNames(data, 64);
}

/** Metaplex's metadata account: key, update authority, mint, then name and symbol as length and bytes padded with NULs. */
export function readMetaplexMetadata(data: Buffer): TokenNames | undefined {
  return data[0] === 4 ? readNames(data, 65) : undefined;
}

const MAX_NAME_BYTES = 1024;

function readNames(data: Buffer, offset: number): TokenNames | undefined {
  const name = readText(data, offset);
  const symbol = name === undefined ? undefined : readText(data, name.end);
  if (name === undefined) return undefined;
  return {
    name: name.text,
    symbol: symbol?.text ?? '',
    isTruncated: name.isTruncated || symbol === undefined || symbol.isTruncated,
  };
}

function readText(data: Buffer, offset: number): { text: string; end: number; isTruncated: boolean } | undefined {
  if (offset + 4 > data.length) return undefined;
  const length = data.readUInt32LE(offset);
  const end = offset + 4 + length;
  const kept = data.subarray(offset + 4, Math.min(end, data.length, offset + 4 + MAX_NAME_BYTES));
  return { text: kept.toString('utf8').replace(/\0+$/, ''), end, isTruncated: kept.length < length };
}
