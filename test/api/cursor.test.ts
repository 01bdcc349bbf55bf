import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { decodeCursor, encodeCursor } from '../../src/api/cursor.ts';
import { AppError } from '../../src/domain/errors.ts';

const place = z.strictObject({ id: z.string() });

it('reads back what it wrote', () => {
  fc.assert(
    fc.property(fc.string(), fc.option(fc.string()), (id, chain) => {
      const cursor = encodeCursor({ id }, { chain });
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(decodeCursor(cursor, place, { chain })).toEqual({ id });
    }),
  );
});

it('takes nothing else', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => Buffer.from(json).toString('base64url')),
      ),
      (cursor) => {
        expect(() => decodeCursor(cursor, place, { chain: null })).toThrow(AppError);
      },
    ),
  );
  expect(() => decodeCursor(encodeCursor({ id: 'a' }, { chain: 'x' }), place, { chain: null })).toThrow(AppError);
  expect(() => decodeCursor(encodeCursor({ other: 'a' }, { chain: null }), place, { chain: null })).toThrow(AppError);
});
