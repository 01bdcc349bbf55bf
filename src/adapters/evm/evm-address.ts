import { getAddress } from 'ethers/address';

const EVM_ADDRESS = /^0x[0-9a-fA-F]{40}$/;

/**
 * The canonical (EIP-55) form of an address written as `0x` and 40 hex digits; undefined for every other form. When it mixes upper and lower
 * case, the checksum must be right.
 */
export function parseEvmAddress(text: string): string | undefined {
  if (!EVM_ADDRESS.test(text)) return undefined;
  const digits = text.slice(2);
  const isMixed = digits !== digits.toLowerCase() && digits !== digits.toUpperCase();
  const canonical = getAddress(text.toLowerCase());
  return isMixed && canonical !== text ? undefined : canonical;
}
