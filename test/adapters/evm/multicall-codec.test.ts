import { Interface } from 'ethers';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeAggregate3, encodeAggregate3 } from '../../../src/adapters/evm/multicall-codec.ts';

const abi = new Interface([
  'function aggregate3((address target, bool allowFailure, bytes callData)[] calls) returns ((bool success, bytes returnData)[])',
]);
const hexBytes = fc.uint8Array({ maxLength: 100 }).map((bytes) => `0x${Buffer.from(bytes).toString('hex')}`);
const address = fc.stringMatching(/^[0-9a-f]{40}$/).map((digits) => `0x${digits}`);

test('encodes calls as ethers does', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ to: address, data: hexBytes }), { maxLength: 8 }), (calls) => {
      const expected = abi.encodeFunctionData('aggregate3', [calls.map(({ to, data }) => [to, true, data])]);
      expect(`0x${encodeAggregate3(calls)}`).toBe(expected);
    }),
  );
});

test('decodes results as ethers encodes them', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), hexBytes), { maxLength: 8 }), (results) => {
      const data = abi.encodeFunctionResult('aggregate3', [results]).slice(2);
      const expected = results.map(([ok, bytes]) => (ok ? { data: bytes.slice(2), size: bytes.length / 2 - 1 } : 'reverted'));
      expect(decodeAggregate3(data, results.length)).toEqual(expected);
    }),
  );
});

test('keeps the first 512 bytes of a long result and its length', () => {
  const data = abi.encodeFunctionResult('aggregate3', [[[true, `0x${'ab'.repeat(10_000)}`]]]).slice(2);
  expect(decodeAggregate3(data, 1)).toEqual([{ data: 'ab'.repeat(512), size: 10_000 }]);
});

test('never takes garbage or a cut-off answer for results', () => {
  const whole = abi.encodeFunctionResult('aggregate3', [[[true, `0x${'01'.repeat(32)}`]]]).slice(2);
  for (let length = 0; length < whole.length; length += 2) expect(decodeAggregate3(whole.slice(0, length), 1)).toBeUndefined();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 5 }), (bytes, count) => {
      const decoded = decodeAggregate3(Buffer.from(bytes).toString('hex'), count);
      expect(decoded === undefined || decoded.length === count).toBe(true);
    }),
  );
});
