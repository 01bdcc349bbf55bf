import { hash } from 'node:crypto';
import type { Request, Response } from 'express';
import { z } from 'zod';
import { AppError, toAppError } from '../domain/errors.ts';
import type { IdempotencyService } from '../services/requests/idempotency-service.ts';
import { httpFaceOf, isErrorCode } from './http-errors.ts';
import type { Reply, Route } from './route.ts';

const KEY_HEADER = 'Idempotency-Key';
const REPLAYED_HEADER = 'Idempotent-Replayed';
/** A text as it is or, as the IETF draft has it, in quotes. */
const KEY = /^("?)([\x21\x23-\x2b\x2d-\x5b\x5d-\x7e]{1,200})\1$/;

/** The header as operations document it. */
export const idempotencyHeaders = z.object({
  [KEY_HEADER]: z.string().min(1).max(202).optional().meta({
    description:
      'A name of your own for this very request, such as a UUID, of up to 200 visible characters of ASCII without commas. Sent again with it within 24 hours, the request has no second effect: it gets the first answer, marked `Idempotent-Replayed: true`, or a 409 while the first is under way. Answers of 5xx, 408 and 429 are not kept.',
    example: '0f1a2b3c-5d6e-4f70-8a9b-0c1d2e3f4a5b',
  }),
});

/** The header that marks a repeated answer, as operations document it. */
export const replayedHeader = {
  [REPLAYED_HEADER]:
    'Whether this is the answer to an earlier request with the same `Idempotency-Key`; not there when it is not.',
};

type WriteDeps = { readonly idempotency: Pick<IdempotencyService, 'run'> };
type Exchange = { readonly request: Request; readonly response: Response; readonly tenantId: string };

/** Does a write with `handle`, once for each `Idempotency-Key`. Throws AppError. */
export async function writeOnce(
  { idempotency }: WriteDeps,
  route: Route,
  { request, response, tenantId, handle }: Exchange & { readonly handle: () => Promise<Reply> },
): Promise<Reply> {
  const sent = request.get(KEY_HEADER);
  if (sent === undefined) return handle();
  const write = { key: parseKey(sent), fingerprint: fingerprintOf(request) };
  const outcome = await idempotency.run<Reply | AppError>(tenantId, write, async () => {
    const value = await handle().catch(toAppError);
    return { value, kept: toKept(value, route) };
  });
  if (outcome.status === 'done') return orThrow(outcome.value);
  response.setHeader(REPLAYED_HEADER, 'true');
  return orThrow(fromKept(outcome.kept));
}

function parseKey(sent: string): string {
  const key = KEY.exec(sent.trim())?.[2];
  if (key !== undefined) return key;
  const message = 'An Idempotency-Key has 1 to 200 visible characters of ASCII, without quotes, commas and backslashes.';
  throw new AppError('invalid_request', message, {
    issues: [{ pointer: `/header/${KEY_HEADER}`, code: 'invalid_key', message }],
  });
}

/** Another precondition makes another request. */
function fingerprintOf(request: Request): string {
  const { method, originalUrl, body } = request;
  return hash('sha256', JSON.stringify([method, originalUrl, request.get('if-match') ?? null, body ?? null]), 'base64url');
}

const keptSchema = z.union([
  z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.unknown() }),
  z.object({
    code: z.string().refine(isErrorCode),
    message: z.string(),
    issues: z.array(z.object({ pointer: z.string(), code: z.string(), message: z.string() })),
  }),
]);

/** Null for what another try may change. What is shown only once is left out. */
function toKept(value: Reply | AppError, { shownOnce = [] }: Route): string | null {
  if (value instanceof AppError) {
    const { code, message, issues } = value;
    const { status } = httpFaceOf(code);
    const isWorthATry = status >= 500 || status === 408 || status === 429 || code === 'quota_exceeded';
    return isWorthATry ? null : JSON.stringify({ code, message, issues });
  }
  const { status, headers = {}, body } = value;
  const hidden = new Set(shownOnce);
  return JSON.stringify({ status, headers, body }, (key, field: unknown) => (hidden.has(key) ? null : field));
}

function fromKept(kept: string): Reply | AppError {
  const parsed = keptSchema.parse(JSON.parse(kept));
  return 'code' in parsed ? new AppError(parsed.code, parsed.message, { issues: parsed.issues }) : parsed;
}

function orThrow(value: Reply | AppError): Reply {
  if (value instanceof AppError) throw value;
  return value;
}
