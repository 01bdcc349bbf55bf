import { crc32 } from 'node:zlib';
import type { RenderedAnswer } from '../cache.ts';

/** An answer with the state of the data that it tells and the moment from which its ages count. */
export type CacheEntry = RenderedAnswer & { readonly version: string; readonly createdAt: number };

/** Changes whenever the layout does, so that processes of two releases do not misread each other. */
const FORMAT = 1;
const HEADER_BYTES = 19;
const CHECKSUM_AT = 15;
const VERSION = /^[\w.-]{1,100}$/;
const ETAG = /^(W\/)?"[\w-]{1,100}"$/;

/** The largest entry that is shared; what is read is cut off beyond it. */
export const MAX_ENTRY_BYTES = 4 * 1024 * 1024;

/** format (1 byte), created at (8), lengths of version (1), tag (1) and body (4), checksum of all else (4), then these three. */
export function encodeEntry({ version, etag, bytes, createdAt }: CacheEntry): Buffer {
  const entry = Buffer.allocUnsafe(HEADER_BYTES + version.length + etag.length + bytes.length);
  entry.writeUInt8(FORMAT, 0);
  entry.writeDoubleBE(createdAt, 1);
  entry.writeUInt8(version.length, 9);
  entry.writeUInt8(etag.length, 10);
  entry.writeUInt32BE(bytes.length, 11);
  entry.write(version + etag, HEADER_BYTES, 'latin1');
  bytes.copy(entry, HEADER_BYTES + version.length + etag.length);
  entry.writeUInt32BE(checksum(entry), CHECKSUM_AT);
  return entry;
}

/** Undefined for anything that `encodeEntry` did not write. */
export function decodeEntry(entry: Buffer): CacheEntry | undefined {
  if (entry.length < HEADER_BYTES || entry.length > MAX_ENTRY_BYTES || entry.readUInt8(0) !== FORMAT) return undefined;
  const versionEnd = HEADER_BYTES + entry.readUInt8(9);
  const etagEnd = versionEnd + entry.readUInt8(10);
  if (entry.length !== etagEnd + entry.readUInt32BE(11) || entry.readUInt32BE(CHECKSUM_AT) !== checksum(entry)) return undefined;
  const version = entry.toString('latin1', HEADER_BYTES, versionEnd);
  const etag = entry.toString('latin1', versionEnd, etagEnd);
  const createdAt = entry.readDoubleBE(1);
  if (!VERSION.test(version) || !ETAG.test(etag) || !Number.isFinite(createdAt)) return undefined;
  return { version, etag, createdAt, bytes: entry.subarray(etagEnd) };
}

function checksum(entry: Buffer): number {
  return crc32(entry.subarray(HEADER_BYTES), crc32(entry.subarray(0, CHECKSUM_AT)));
}
