import type { AssetFlag } from '../../domain/asset.ts';
import { addressAt } from './solana-address.ts';

/**
 * What counts of a token account. `amountRaw` is null when the account is in no state that the token programs know.
 * Layout: spl.solana.com, `state::Account`; Token-2022 appends extensions behind byte 165.
 */
export type TokenAccount = {
  readonly mint: string;
  /** The 32 bytes of the wallet's address. */
  readonly owner: Buffer;
  readonly amountRaw: bigint | null;
  readonly isFrozen: boolean;
};

/** Bytes of a token account that hold all of the above. */
export const ACCOUNT_SLICE = { offset: 0, length: 165 };
const ACCOUNT_SIZE = 165;
const MINT_SIZE = 82;
/** An account of several signers, which must never pass for a mint. */
const MULTISIG_SIZE = 355;
const INITIALIZED = 1;
const FROZEN = 2;

/** Reads a token account; undefined when the bytes are too few to name its mint and owner. */
export function readTokenAccount(data: Buffer): TokenAccount | undefined {
  if (data.length < 64) return undefined;
  const mint = addressAt(data, 0);
  const owner = data.subarray(32, 64);
  if (data.length < ACCOUNT_SIZE) return { mint, owner, amountRaw: null, isFrozen: false };
  const state = data.readUInt8(108);
  const isKnown = state === INITIALIZED || state === FROZEN;
  return { mint, owner, amountRaw: isKnown ? data.readBigUInt64LE(64) : null, isFrozen: state === FROZEN };
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
const EXTENSION = { defaultState: 6, interest: 10, metadata: 19, scaled: 25 } as const;
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

/**
 * Bytes of a mint that hold all of the below. What is fixed in size is set up before the mint and comes first, in under 1,500 bytes together; only names,
 * which may be long, come later and may be cut.
 */
export const MINT_SLICE = { offset: 0, length: 4096 };

/** Reads a mint of either token program; undefined when the bytes are not one in use. */
export function readTokenMint(data: Buffer): TokenMint | undefined {
  if (data.length < MINT_SIZE || data.length === MULTISIG_SIZE || data.readUInt8(45) !== INITIALIZED) return undefined;
  if (data.length > MINT_SIZE && (data.length <= ACCOUNT_SIZE || data.readUInt8(ACCOUNT_SIZE) !== MINT_TYPE)) return undefined;
  const extensions = readExtensions(data);
  const flags = [...extensions.keys()].flatMap((type) => FLAGS.get(type) ?? []);
  if (extensions.get(EXTENSION.defaultState)?.[0] === FROZEN) flags.push('default_frozen');
  const ui = readUiRule(extensions);
  if (ui === undefined) return undefined;
  return { decimals: data.readUInt8(44), flags, ui, metadata: extensions.get(EXTENSION.metadata) ?? null };
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

/** Null where amounts are shown by the decimals alone, undefined where the rule cannot be read. A mint never has both rules. */
function readUiRule(extensions: ReadonlyMap<number, Buffer>): UiRule | null | undefined {
  const scaled = extensions.get(EXTENSION.scaled);
  if (scaled !== undefined) return scaled.length < 56 ? undefined : readScaled(scaled);
  const interest = extensions.get(EXTENSION.interest);
  if (interest !== undefined) return interest.length < 52 ? undefined : readInterest(interest);
  return null;
}

function readScaled(value: Buffer): UiRule {
  const next = { multiplier: value.readDoubleLE(48), at: value.readBigInt64LE(40) };
  return { kind: 'scaled', multiplier: value.readDoubleLE(32), next };
}

function readInterest(value: Buffer): UiRule {
  return {
    kind: 'interest',
    startedAt: value.readBigInt64LE(32),
    averageRate: value.readInt16LE(40),
    updatedAt: value.readBigInt64LE(42),
    currentRate: value.readInt16LE(50),
  };
}
