/** Hex without its prefix. */
export type Hex = string;

const HEX_DATA = /^0x(?:[0-9a-fA-F]{2})*$/;
const HEX_QUANTITY = /^0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)$/;

/** The digits of an RPC answer of bytes, undefined when it is anything else. */
export function readHexData(value: unknown): Hex | undefined {
  return typeof value === 'string' && HEX_DATA.test(value) ? value.slice(2) : undefined;
}

/** An RPC answer of a number, undefined when it is anything else. Leading zeros, which some nodes send, are taken. */
export function readHexQuantity(value: unknown): bigint | undefined {
  if (typeof value !== 'string' || value.length > 66) return undefined;
  const trimmed = value.replace(/^0x0+(?=[0-9a-fA-F])/, '0x');
  return HEX_QUANTITY.test(trimmed) ? BigInt(trimmed) : undefined;
}

/** A number as an ABI word. */
export function word(value: bigint | number): Hex {
  return value.toString(16).padStart(64, '0');
}

/** An address (with prefix) as its 40 digits. */
export function addressDigits(address: string): Hex {
  return address.slice(2).toLowerCase();
}

/** The number in the word that starts at a byte offset; undefined when the data ends before it does. */
export function wordAt(data: Hex, byteOffset: number): bigint | undefined {
  const digits = data.slice(byteOffset * 2, byteOffset * 2 + 64);
  return digits.length === 64 ? BigInt(`0x${digits}`) : undefined;
}

/** Bytes from an offset of the data; fewer than asked for at its end. */
export function sliceBytes(data: Hex, byteOffset: number, length: number): Hex {
  return data.slice(byteOffset * 2, (byteOffset + length) * 2);
}

/** Pads to a whole number of words. */
export function padToWord(data: Hex): Hex {
  return data.padEnd(Math.ceil(data.length / 64) * 64, '0');
}
