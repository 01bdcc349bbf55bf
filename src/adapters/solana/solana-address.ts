import { address, getAddressDecoder, getAddressEncoder, isAddress } from '@solana/addresses';

const encoder = getAddressEncoder();
const decoder = getAddressDecoder();

/** The canonical form of an address written in base58, of exactly 32 bytes; undefined for everything else. */
export function parseSolanaAddress(text: string): string | undefined {
  if (text.length < 32 || text.length > 44 || !isAddress(text)) return undefined;
  // Several base58 texts must never name one address: encode and decode once.
  const canonical = decoder.decode(encoder.encode(text));
  return canonical === text ? canonical : undefined;
}

/** The base58 form of 32 bytes at an offset. */
export function addressAt(data: Uint8Array, offset: number): string {
  return decoder.decode(data.subarray(offset, offset + 32));
}

/** The 32 bytes of a canonical address. Throws for anything else. */
export function bytesOfAddress(text: string): Uint8Array {
  return new Uint8Array(encoder.encode(address(text)));
}
