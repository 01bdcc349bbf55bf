import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parsePrefer } from '../../src/api/prefer.ts';

it.each([
  [undefined, 10_000, null],
  ['', 10_000, null],
  ['wait=5', 5_000, 'wait=5'],
  ['WAIT = 5', 5_000, 'wait=5'],
  ['wait="5"', 5_000, 'wait=5'],
  ['wait=5; x=1', 5_000, 'wait=5'],
  ['wait=5, wait=9', 5_000, 'wait=5'],
  ['handling=lenient, wait=0', 0, 'wait=0'],
  ['wait=999999999', 60_000, 'wait=60'],
  ['wait=99999999999999999999', 60_000, 'wait=60'],
  ['wait=-1', 10_000, null],
  ['wait=1.5', 10_000, null],
  ['wait', 10_000, null],
  ['respond-async', 0, 'respond-async'],
  ['wait=x, respond-async', 0, 'respond-async'],
  ['respond-async;foo=bar, wait=60', 60_000, 'respond-async, wait=60'],
])('Prefer: %s waits %i ms', (header, waitMs, applied) => {
  expect(parsePrefer(header)).toEqual({ waitMs, applied });
});

it('never waits longer than a minute, whatever is sent', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'wait=,; respond-async0123456789"'), maxLength: 60 }), (header) => {
      const { waitMs } = parsePrefer(header);
      expect(Number.isInteger(waitMs) && waitMs >= 0 && waitMs <= 60_000).toBe(true);
    }),
  );
});
