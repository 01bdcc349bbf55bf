import type { EvmCall } from '../evm-caller.ts';
import { addressDigits, type Hex, padToWord, sliceBytes, word, wordAt } from './hex.ts';
import type { BoundedResult } from './scan-codec.ts';

/** Selector of aggregate3((address target, bool allowFailure, bytes callData)[]). */
const AGGREGATE3 = '82ad56cb';
/** What is kept of one answer, as the scanner keeps it. */
const MAX_RETURN_BYTES = 512;

/** Call data of Multicall3's `aggregate3`, every call allowed to fail. */
export function encodeAggregate3(calls: readonly EvmCall[]): Hex {
  const heads: Hex[] = [];
  const tails: Hex[] = [];
  let offset = calls.length * 32;
  for (const { to, data } of calls) {
    const digits = data.slice(2);
    const tail = addressDigits(to).padStart(64, '0') + word(1) + word(96) + word(digits.length / 2) + padToWord(digits);
    heads.push(word(offset));
    tails.push(tail);
    offset += tail.length / 2;
  }
  return AGGREGATE3 + word(32) + word(calls.length) + heads.join('') + tails.join('');
}

/** The results of `aggregate3`; undefined when the data is not an answer to `count` calls. */
export function decodeAggregate3(data: Hex, count: number): readonly BoundedResult[] | undefined {
  if (wordAt(data, 0) !== 32n || wordAt(data, 32) !== BigInt(count)) return undefined;
  const results: BoundedResult[] = [];
  for (let index = 0; index < count; index++) {
    const at = offsetAt(data, 64 + index * 32, 64);
    const success = at === undefined ? undefined : wordAt(data, at);
    const bytesAt = at === undefined ? undefined : offsetAt(data, at + 32, at);
    const size = bytesAt === undefined ? undefined : Number(wordAt(data, bytesAt) ?? -1n);
    if (bytesAt === undefined || size === undefined || size < 0 || (bytesAt + 32 + size) * 2 > data.length) return undefined;
    const kept = sliceBytes(data, bytesAt + 32, Math.min(size, MAX_RETURN_BYTES));
    results.push(success === 1n ? { data: kept, size } : 'reverted');
  }
  return results;
}

/** An ABI offset, made absolute; undefined when it points outside of the data. */
function offsetAt(data: Hex, byteOffset: number, base: number): number | undefined {
  const offset = wordAt(data, byteOffset);
  if (offset === undefined || offset > BigInt(data.length)) return undefined;
  return base + Number(offset);
}
