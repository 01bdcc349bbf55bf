import type { AssetFlag } from '../../domain/asset.ts';
import { cleanTokenText } from '../../domain/token-text.ts';
import { addressAt } from './solana-address.ts';

/** What a token calls itself, cleaned for display, and what was wrong with it. */
export type TokenNames = {
  readonly name: string | null;
  readonly symbol: string | null;
  readonly flags: readonly Extract<AssetFlag, 'metadata_truncated' | 'metadata_unreadable'>[];
};

const UNREADABLE: TokenNames = { name: null, symbol: null, flags: ['metadata_unreadable'] };
/** Bytes of a Metaplex account that hold the names of honest tokens (32 and 10 bytes there). */
export const METAPLEX_SLICE = { offset: 0, length: 512 };
/** The first byte of Metaplex's metadata accounts (`Key::MetadataV1`). */
const METAPLEX_KEY = 4;
const MAX_NAME_BYTES = 1024;

/** Names from Token-2022's metadata extension: update authority, mint, then name and symbol, each as its length and bytes. */
export function readMetadataExtension(data: Buffer, mint: string): TokenNames {
  return data.length >= 64 && addressAt(data, 32) === mint ? readNames(data, 64) : UNREADABLE;
}

/** Names from Metaplex's metadata account: key, update authority, mint, then name and symbol, padded with NULs. */
export function readMetaplexMetadata(data: Buffer, mint: string): TokenNames {
  const isOfMint = data.length >= 65 && data[0] === METAPLEX_KEY && addressAt(data, 33) === mint;
  return isOfMint ? readNames(data, 65) : UNREADABLE;
}

function readNames(data: Buffer, offset: number): TokenNames {
  const name = readText(data, offset);
  const symbol = readText(data, name.end);
  const texts = [name, symbol];
  const flags: TokenNames['flags'][number][] = [];
  if (texts.some(({ isTruncated }) => isTruncated)) flags.push('metadata_truncated');
  // What was cut may end within a character, which is no fault of the token's.
  if (texts.some(({ text, isTruncated }) => !isTruncated && text.includes('\uFFFD'))) flags.push('metadata_unreadable');
  return { name: cleanTokenText(name.text), symbol: cleanTokenText(symbol.text), flags };
}

/** A text longer than any honest one, or longer than the bytes at hand, is cut. */
function readText(data: Buffer, offset: number): { text: string; end: number; isTruncated: boolean } {
  if (offset + 4 > data.length) return { text: '', end: offset, isTruncated: true };
  const length = data.readUInt32LE(offset);
  const start = offset + 4;
  const kept = data.subarray(start, Math.min(start + length, start + MAX_NAME_BYTES));
  return { text: kept.toString('utf8'), end: start + length, isTruncated: kept.length < length };
}
