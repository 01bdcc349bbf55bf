import type { EvmCall } from '../evm-caller.ts';
import { addressDigits, type Hex, padToWord, word } from './hex.ts';

/** Why a slot or a call has no answer. `out_of_gas` is told apart from `reverted` only where the call stood alone. */
export type SlotFault = 'reverted' | 'no_code' | 'bad_return' | 'out_of_gas';

/** The wallets and tokens that one request reads: every wallet's native balance, and every token of every wallet. */
export type ScanChunk = { readonly wallets: readonly string[]; readonly tokens: readonly string[] };

/** What a scan found, by slot: wallet * (tokens + 1), the native balance first. */
export type ScanResult = readonly (bigint | SlotFault)[];

/** The answer of one bounded call: its first bytes and its whole length. */
export type BoundedResult = { readonly data: Hex; readonly size: number } | SlotFault;

/** Status of the entry that ends an output. */
const END = 255;
/** Index and status. */
const ENTRY_BYTES = 5;

const SCAN_FAULTS: Readonly<Record<number, SlotFault>> = { 1: 'reverted', 2: 'no_code', 3: 'bad_return' };

/** Number of slots of a chunk. */
export function slotCount({ wallets, tokens }: ScanChunk): number {
  return wallets.length * (tokens.length + 1);
}

/** The scanner's input for balances. See `contracts/scanner.sol` for the layout. */
export function encodeScan({ wallets, tokens }: ScanChunk): Hex {
  return `01${wallets.length.toString(16).padStart(4, '0')}${[...wallets, ...tokens].map(addressDigits).join('')}`;
}

/** Reads the scanner's output for balances; undefined when it is not one, or not a whole one. */
export function decodeScan(output: Hex, chunk: ScanChunk): ScanResult | undefined {
  const bytes = Buffer.from(output, 'hex');
  if (bytes[0] !== 1) return undefined;
  // The scanner leaves zeros out.
  const slots = new Array<bigint | SlotFault>(slotCount(chunk)).fill(0n);
  let last = -1;
  for (let at = 1; at + ENTRY_BYTES <= bytes.length; ) {
    const slot = bytes.readUInt32BE(at);
    const status = bytes.readUInt8(at + 4);
    at += ENTRY_BYTES;
    // Anything cut off or out of order could pass for zeros.
    if (slot <= last || slot > slots.length) return undefined;
    if (status === END) return slot === slots.length && at === bytes.length ? slots : undefined;
    const fault = SCAN_FAULTS[status];
    if (slot === slots.length || (fault === undefined && (status !== 0 || at + 32 > bytes.length))) return undefined;
    slots[slot] = fault ?? readWord(bytes, at);
    if (fault === undefined) at += 32;
    last = slot;
  }
  return undefined;
}

/** A uint256. Most amounts fit into half of it. */
function readWord(bytes: Buffer, at: number): bigint {
  const low = (bytes.readBigUInt64BE(at + 16) << 64n) | bytes.readBigUInt64BE(at + 24);
  const high = (bytes.readBigUInt64BE(at) << 64n) | bytes.readBigUInt64BE(at + 8);
  return high === 0n ? low : (high << 128n) | low;
}

/** The scanner's input for calls. */
export function encodeCalls(calls: readonly EvmCall[]): Hex {
  const parts = calls.map(({ to, data }) => {
    const digits = data.slice(2);
    return addressDigits(to) + (digits.length / 2).toString(16).padStart(4, '0') + digits;
  });
  return `02${parts.join('')}`;
}

/** Reads the scanner's output for calls; undefined when it is not one of `count` answers. */
export function decodeCalls(output: Hex, count: number): readonly BoundedResult[] | undefined {
  if (!output.startsWith('02')) return undefined;
  const results: BoundedResult[] = [];
  let at = 2;
  while (at < output.length) {
    const status = Number.parseInt(output.slice(at, at + 2), 16);
    const size = Number.parseInt(output.slice(at + 2, at + 10), 16);
    const kept = Number.parseInt(output.slice(at + 10, at + 14), 16);
    const data = output.slice(at + 14, at + 14 + kept * 2);
    if (Number.isNaN(kept) || data.length !== kept * 2) return undefined;
    results.push(status === 0 ? { data, size } : (SCAN_FAULTS[status] ?? 'bad_return'));
    at += 14 + kept * 2;
  }
  return results.length === count ? results : undefined;
}

/** ABI encoding of one `bytes` argument, as a constructor takes it. */
export function encodeBytesArgument(data: Hex): Hex {
  return word(32) + word(data.length / 2) + padToWord(data);
}
