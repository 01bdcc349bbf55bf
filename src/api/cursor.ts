import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';

/** The places in one list of one tenant, as clients carry them from page to page. */
export type Pages = {
  /** Writes the place where a page ended as a text that nobody else can make. */
  encode(place: Readonly<Record<string, string>>): string;
  /** Reads what `encode` wrote; null for the first page, which has no cursor. Throws invalid_request for anything else. */
  decode<Place extends z.ZodType>(cursor: string | undefined, place: Place): z.output<Place> | null;
};

/** What makes a list another one: its cursors are good for no other. */
export type ListFilters = { readonly list: string } & Readonly<Record<string, string | null>>;

const PLACE = z.record(z.string(), z.string());
/** Of base64url, for 128 bits. */
const SIGNATURE_LENGTH = 22;

/** @param secret Known to all instances, so that each takes the cursors of the others. */
export function createPages(secret: Buffer, list: { readonly tenantId: string; readonly filters: ListFilters }): Pages {
  const sign = (place: string): string =>
    createHmac('sha256', secret)
      .update(JSON.stringify([list.tenantId, list.filters, place]))
      .digest('base64url')
      .slice(0, SIGNATURE_LENGTH);
  return {
    encode(place) {
      const written = Buffer.from(JSON.stringify(place)).toString('base64url');
      return sign(written) + written;
    },
    decode(cursor, schema) {
      if (cursor === undefined) return null;
      const written = cursor.slice(SIGNATURE_LENGTH);
      if (isEqual(cursor.slice(0, SIGNATURE_LENGTH), sign(written))) {
        const place = schema.safeParse(PLACE.parse(JSON.parse(Buffer.from(written, 'base64url').toString('utf8'))));
        if (place.success) return place.data;
      }
      throw refusal();
    },
  };
}

function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function refusal(): AppError {
  const message = 'This is no cursor of this list with these filters.';
  return new AppError('invalid_request', message, { issues: [{ pointer: '/query/cursor', code: 'invalid_cursor', message }] });
}
