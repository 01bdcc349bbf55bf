import { hash } from 'node:crypto';
import { z } from 'zod';
import type { IfVersion } from '../domain/version.ts';

const TAG = /^"(\d{1,9})-[\w-]{27}"$/;

/** The header as operations document it that change one thing. */
export const ifMatchHeaders = z.object({
  'If-Match': z.string().min(1).max(1000).optional().meta({
    description:
      'The `ETag` that you read it with, or several: changes nothing, and answers with a 412, when it was changed since. What comes and goes by itself, such as a price, is no change.',
    example: '"3-k2Jx0m1r5y8Qd7ZbN4cW9sEfGhT"',
  }),
});

/** The header of answers that tell one thing which can be changed, as operations document it. */
export const etagHeader = { ETag: 'What it is now: for `If-None-Match`, and for `If-Match` to change nothing but this.' };

/** The strong tag of something that can be changed: its version, and all that the answer says of it. */
export function etagOfVersion(version: number, body: unknown): { readonly ETag: string } {
  return { ETag: `"${version}-${hash('sha256', JSON.stringify(body), 'base64url').slice(0, 27)}"` };
}

/** The versions that an `If-Match` names. A weak tag is none, nor is one that we never gave. */
export function readIfMatch(header: string | undefined): IfVersion {
  if (header === undefined || header.trim() === '*') return null;
  return header.split(',').flatMap((tag) => {
    const version = TAG.exec(tag.trim())?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}
