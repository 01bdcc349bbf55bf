import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeCalls, decodeScan, encodeCalls, encodeScan } from '../../../src/adapters/evm/scan-codec.ts';
import { UINT256_MAX } from '../../../src/domain/amount.ts';

const address = fc.stringMatching(/^[0-9a-f]{40}$/).map((digits) => `0x${digits}`);
const FAULTS = ['reverted', 'no_code', 'bad_return'] as const;

/** What the scanner would answer for these slots. */
function answer(slots: ReadonlyMap<number, bigint | (typeof FAULTS)[number]>, count: number): string {
  const entries = [...slots].map(([slot, result]) => {
    const index = slot.toString(16).padStart(8, '0');
    if (typeof result === 'bigint') return `${index}00${result.toString(16).padStart(64, '0')}`;
    return `${index}0${FAULTS.indexOf(result) + 1}`;
  });
  return `01${entries.join('')}${count.toString(16).padStart(8, '0')}ff`;
}

const result = fc.oneof(fc.bigInt({ min: 0n, max: UINT256_MAX }), fc.constantFrom(...FAULTS));
const scan = fc.record({
  wallets: fc.array(address, { minLength: 1, maxLength: 4 }),
  tokens: fc.array(address, { maxLength: 4 }),
  results: fc.array(fc.option(result), { minLength: 20, maxLength: 20 }),
});

test('reads back every balance and fault, and zero for the rest', () => {
  fc.assert(
    fc.property(scan, ({ wallets, tokens, results }) => {
      const count = wallets.length * (tokens.length + 1);
      const slots = new Map(results.slice(0, count).flatMap((entry, slot) => (entry === null ? [] : [[slot, entry] as const])));
      const expected = Array.from({ length: count }, (_, slot) => slots.get(slot) ?? 0n);
      expect(decodeScan(answer(slots, count), { wallets, tokens })).toEqual(expected);
    }),
  );
});

test('never takes an answer that was cut off for zeros', () => {
  fc.assert(
    fc.property(scan, fc.nat(), ({ wallets, tokens, results }, at) => {
      const count = wallets.length * (tokens.length + 1);
      const slots = new Map(results.slice(0, count).flatMap((entry, slot) => (entry === null ? [] : [[slot, entry] as const])));
      const whole = answer(slots, count);
      expect(decodeScan(whole.slice(0, at % whole.length), { wallets, tokens })).toBeUndefined();
    }),
  );
});

test('refuses an answer to another question', () => {
  const chunk = { wallets: [`0x${'11'.repeat(20)}`], tokens: [`0x${'22'.repeat(20)}`] };
  expect(decodeScan('', chunk)).toBeUndefined();
  expect(decodeScan(answer(new Map([[0, 1n]]), 3), chunk)).toBeUndefined();
  expect(decodeScan(`${answer(new Map([[0, 1n]]), 2)}00`, chunk)).toBeUndefined();
});

test('lays wallets and tokens out as the contract reads them', () => {
  const input = encodeScan({ wallets: [`0x${'Aa'.repeat(20)}`], tokens: [`0x${'22'.repeat(20)}`, `0x${'33'.repeat(20)}`] });
  expect(input).toBe(`010001${'aa'.repeat(20)}${'22'.repeat(20)}${'33'.repeat(20)}`);
});

test('lays calls out as the contract reads them, and refuses an answer with too few or too many results', () => {
  expect(encodeCalls([{ to: `0x${'44'.repeat(20)}`, data: '0x313ce567' }])).toBe(`02${'44'.repeat(20)}0004313ce567`);
  const one = '00000000200001ab';
  expect(decodeCalls(`02${one.replace('0001ab', '0002abcd')}`, 1)).toEqual([{ data: 'abcd', size: 32 }]);
  expect(decodeCalls(`02${one}${one}`, 1)).toBeUndefined();
  expect(decodeCalls(`02${one}`, 2)).toBeUndefined();
  expect(decodeCalls('02010000000000000200000000000003', 2)).toBeUndefined();
  expect(decodeCalls('0201000000000000', 1)).toEqual(['reverted']);
});
