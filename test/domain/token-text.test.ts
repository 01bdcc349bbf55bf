import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cleanTokenText } from '../../src/domain/token-text.ts';

test.each([
  ['USDC', 'USDC'],
  ['  Wrapped \t\n Ether  ', 'Wrapped Ether'],
  ['USD\u0000C', 'USD C'],
  ['\u202EECFSD\u202C', 'ECFSD'],
  ['U\u200BS\u200DD\uFEFFC', 'USDC'],
  ['USDC\u3164', 'USDC'],
  ['USDC\u2800', 'USDC'],
  ['USD\uD800C', 'USDC'],
  ['USD\uFFFDC', 'USDC'],
  ['Z\u0351\u0352\u0353\u0354\u0355alt', 'Z\u0353\u0354alt'],
  ['USD₮0', 'USD₮0'],
  ['東京 🗼', '東京 🗼'],
  ['<script>', '<script>'],
])('%j is shown as %j', (raw, shown) => {
  expect(cleanTokenText(raw)).toBe(shown.normalize('NFC'));
});

test.each(['', '   ', '\u0000', '\u200B\u202E', '\uD800', '\uE000', '\u3164\u2800'])('nothing is left of %j', (raw) => {
  expect(cleanTokenText(raw)).toBeNull();
});

test('composed and decomposed accents are one text', () => {
  expect(cleanTokenText('Cafe\u0301')).toBe(cleanTokenText('Caf\u00E9'));
});

test('a long name is cut at 64 code points and never inside one', () => {
  expect([...(cleanTokenText('🗼'.repeat(100)) ?? '')]).toEqual(Array.from({ length: 64 }, () => '🗼'));
});

test('a megabyte costs no more than its head', () => {
  const started = performance.now();
  expect(cleanTokenText('A'.repeat(1_000_000))).toBe('A'.repeat(64));
  expect(performance.now() - started).toBeLessThan(100);
});

test('whatever a contract answers, the text is clean, short, and stays as it is when cleaned again', () => {
  const anyText = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.string({ unit: 'grapheme', maxLength: 300 }),
    // Single UTF-16 units: unpaired surrogates.
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 200 }).map((units) => String.fromCharCode(...units)),
  );
  fc.assert(
    fc.property(anyText, (raw) => {
      const text = cleanTokenText(raw);
      if (text === null) return;
      expect(text.isWellFormed()).toBe(true);
      expect(text).toBe(text.trim());
      expect([...text].length).toBeLessThanOrEqual(64);
      expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/u);
      expect(cleanTokenText(text)).toBe(text);
    }),
    { numRuns: 2_000 },
  );
});
