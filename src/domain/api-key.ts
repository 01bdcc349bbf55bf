import type { Scope } from './access.ts';

/** A key as it is shown: everything but what opens the door. */
export type ApiKey = {
  /** The first part of the key itself. */
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  /** null: it holds until it is revoked. */
  readonly expiresAt: Date | null;
  /** To the minute; null: never. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  /** The key that came in its place when it was rotated. */
  readonly replacedBy: string | null;
};

/** Whether a key opens the door at a moment. */
export function statusOfKey({ expiresAt, revokedAt }: Pick<ApiKey, 'expiresAt' | 'revokedAt'>, now: Date): KeyStatus {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

export type KeyStatus = 'active' | 'expired' | 'revoked';

/** What a key is made of: an id, which is no secret, and 256 bits by chance, which are. */
export type KeyParts = { readonly id: string; readonly secret: string };

/** Bytes by chance that a new key takes. */
export const ID_BYTES = 16;
export const SECRET_BYTES = 32;

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const ID_LENGTH = 12;
/** The least that holds 256 bits. */
const SECRET_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const KEY = /^(cpf_([0-9A-Za-z]{12})_([0-9A-Za-z]{43}))([0-9A-Za-z]{6})$/;

/** The parts of a new key out of bytes by chance. */
export function toKeyParts({ id, secret }: { readonly id: Uint8Array; readonly secret: Uint8Array }): KeyParts {
  return { id: toBase62(toNumber(id), ID_LENGTH), secret: toBase62(toNumber(secret), SECRET_LENGTH) };
}

/** `cpf_<id>_<secret><checksum>`: a prefix that scanners for secrets can look for, and a checksum that tells a typo by itself. */
export function writeKey({ id, secret }: KeyParts): string {
  const text = `cpf_${id}_${secret}`;
  return text + checksumOf(text);
}

/** The parts of a key; undefined for what none can be, be it for a single wrong character. */
export function parseKey(text: string): KeyParts | undefined {
  const [, body = '', id = '', secret = '', checksum] = KEY.exec(text) ?? [];
  return checksum !== undefined && checksumOf(body) === checksum ? { id, secret } : undefined;
}

function checksumOf(text: string): string {
  return toBase62(BigInt(crc32(text)), CHECKSUM_LENGTH);
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

/** The last digits of a number. */
function toBase62(number: bigint, length: number): string {
  let rest = number;
  let text = '';
  for (let place = 0; place < length; place++) {
    text = DIGITS.charAt(Number(rest % 62n)) + text;
    rest /= 62n;
  }
  return text;
}

const POLYNOMIAL = 0xedb88320;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
  return value;
});

/** CRC-32 as in zip and PNG, of ASCII. */
function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let at = 0; at < text.length; at++) crc = (crc >>> 8) ^ (TABLE[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
