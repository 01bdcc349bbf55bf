import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseBigIntJson } from '../../src/lib/bigint-json.ts';

it('keeps whole numbers exact and fractions as they are', () => {
  expect(parseBigIntJson('{"a":18446744073709551615,"b":[-9007199254740993,0],"c":1.5,"d":"12","e":null,"f":1e3}')).toEqual({
    a: 18_446_744_073_709_551_615n,
    b: [-9_007_199_254_740_993n, 0n],
    c: 1.5,
    d: '12',
    e: null,
    f: 1000,
  });
});

it('reads any 64-bit integer that was written, beside any other JSON', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), fc.string(), (integer, text) => {
      const json = `{"integer":${integer},"list":[[${integer}]],"text":${JSON.stringify(text)}}`;
      expect(parseBigIntJson(json)).toEqual({ integer, list: [[integer]], text });
    }),
  );
});

it.each(['', '<html>', '{"a":', '{"a":01}', 'undefined', '['.repeat(100_000)])('gives undefined for %.10s', (text) => {
  expect(parseBigIntJson(text)).toBeUndefined();
});

it('takes no longer than a test may for a number of a million digits and for a million lists in lists', () => {
  expect(typeof parseBigIntJson('9'.repeat(1_000_000))).toBe('number');
  expect(() => parseBigIntJson('['.repeat(1_000_000) + ']'.repeat(1_000_000))).not.toThrow();
});
