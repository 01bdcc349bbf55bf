import fc from 'fast-check';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { createPages } from '../../src/api/cursor.ts';
import { AppError } from '../../src/domain/errors.ts';

const SECRET = Buffer.alloc(32, 7);
const place = z.strictObject({ id: z.string() });

function pagesOf(chain: string | null = null, tenantId = 'a', secret = SECRET) {
  return createPages(secret, { tenantId, filters: { list: 'things', chain } });
}

it('reads back what it wrote, whoever reads it with the same secret', () => {
  fc.assert(
    fc.property(fc.string(), fc.option(fc.string()), (id, chain) => {
      const cursor = pagesOf(chain).encode({ id });
      expect(cursor).toMatch(/^[\w-]+$/);
      expect(cursor).toBe(pagesOf(chain).encode({ id }));
      expect(pagesOf(chain).decode(cursor, place)).toEqual({ id });
    }),
  );
});

it('has none for the first page', () => {
  expect(pagesOf().decode(undefined, place)).toBeNull();
});

it('takes nothing that it did not write', () => {
  const forged = fc.json().map((json) => Buffer.from(json).toString('base64url'));
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        forged,
        forged.map((text) => 'A'.repeat(22) + text),
      ),
      (cursor) => {
        expect(() => pagesOf().decode(cursor, place)).toThrow(AppError);
      },
    ),
  );
});

it('takes none that was changed by a single character', () => {
  const cursor = pagesOf().encode({ id: '0198b000-0000-7000-8000-000000000001' });
  for (let at = 0; at < cursor.length; at++) {
    const changed = `${cursor.slice(0, at)}${cursor[at] === 'A' ? 'B' : 'A'}${cursor.slice(at + 1)}`;
    expect(() => pagesOf().decode(changed, place)).toThrow(AppError);
  }
  for (const changed of [cursor.slice(1), cursor.slice(0, -1), `${cursor}=`, `${cursor}A`, ` ${cursor}`]) {
    expect(() => pagesOf().decode(changed, place)).toThrow(AppError);
  }
});

it.each([
  ['another filter', pagesOf('x')],
  ['another tenant', pagesOf(null, 'b')],
  ['another service', pagesOf(null, 'a', Buffer.alloc(32, 8))],
  ['another list', createPages(SECRET, { tenantId: 'a', filters: { list: 'others', chain: null } })],
])('takes none of %s', (_, pages) => {
  expect(() => pagesOf().decode(pages.encode({ id: 'a' }), place)).toThrow(AppError);
});

it('takes none that names a place of another kind', () => {
  expect(() => pagesOf().decode(pagesOf().encode({ other: 'a' }), place)).toThrow(AppError);
});
