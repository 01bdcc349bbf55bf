import { z } from 'zod';
import { AppError } from '../domain/errors.ts';

/**
 * Writes the place where a page ended as an opaque text. The filters of the list go in with it, so that the cursor of one list cannot be taken
 * for that of another.
 */
export function encodeCursor(place: Readonly<Record<string, string>>, filters: Readonly<Record<string, string | null>>): string {
  return Buffer.from(JSON.stringify({ place, filters })).toString('base64url');
}

/** Reads what `encodeCursor` wrote for the same filters. Throws invalid_request for anything else. */
export function decodeCursor<Place extends z.ZodType>(
  cursor: string,
  place: Place,
  filters: Readonly<Record<string, string | null>>,
): z.output<Place> {
  const written = cursorSchema.safeParse(readJson(cursor));
  if (written.success && JSON.stringify(written.data.filters) === JSON.stringify(filters)) {
    const parsed = place.safeParse(written.data.place);
    if (parsed.success) return parsed.data;
  }
  const issue = {
    pointer: '/query/cursor',
    code: 'invalid_cursor',
    message: 'This is no cursor of this list with these filters.',
  };
  throw new AppError('invalid_request', issue.message, { issues: [issue] });
}

const cursorSchema = z.strictObject({
  place: z.record(z.string(), z.string()),
  filters: z.record(z.string(), z.string().nullable()),
});

function readJson(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
