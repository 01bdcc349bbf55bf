import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLosslessJson } from '../../src/lib/lossless-json.ts';

test.each([
  ['{"price":0.10000000000000000000000000001}', { price: '0.10000000000000000000000000001' }],
  ['[9007199254740993,1e-30,-1.5E+9]', ['9007199254740993', '1e-30', '-1.5E+9']],
  ['{"a":null,"b":true,"c":"x"}', { a: null, b: true, c: 'x' }],
])('keeps the digits of every number: %s', (text, value) => {
  expect(parseLosslessJson(text)).toEqual(value);
});

test.each(['', '{', 'NaN', '{"a":NaN}', '<html>', '{"a":1,}', '01', `${'['.repeat(100_000)}`])(
  'gives undefined for what is no JSON: %.20s',
  (text) => {
    expect(parseLosslessJson(text)).toBeUndefined();
  },
);

test('never throws, whatever is sent', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      parseLosslessJson(text);
    }),
  );
});

test('changes no prototype', () => {
  const parsed = parseLosslessJson('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
  expect(parsed).toBeTypeOf('object');
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});
