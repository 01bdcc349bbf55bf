const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const DIGITS: ReadonlyMap<string, bigint> = new Map([...ALPHABET].map((letter, index) => [letter, BigInt(index)]));

/** The bytes of a short text in base58; none for what is not base58. */
export function decodeBase58(text: string): Buffer {
  let value = 0n;
  for (const letter of text) {
    const digit = DIGITS.get(letter);
    if (digit === undefined) return Buffer.alloc(0);
    value = value * 58n + digit;
  }
  const hex = value === 0n ? '' : value.toString(16);
  const zeros = text.length - text.replace(/^1+/, '').length;
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')]);
}
