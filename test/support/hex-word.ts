/** A number or an address as the 64 digits of an ABI word. */
export function toHexWord(value: bigint | string): string {
  return (typeof value === 'string' ? value.slice(2).toLowerCase() : value.toString(16)).padStart(64, '0');
}
