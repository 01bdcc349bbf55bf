import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';

/** Fixed for every answer: nothing served here may be embedded, sniffed or loaded from elsewhere. The docs widen the policy for themselves. */
const SECURITY_HEADERS = [
  ['Content-Security-Policy', "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Referrer-Policy', 'no-referrer'],
  ['X-Content-Type-Options', 'nosniff'],
] as const;

const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Gives every request its id, the client's own if that is a decent one, and every answer the id and the security headers. */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const sent = request.headers['x-request-id'];
  response.setHeader('X-Request-Id', typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID());
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
  // Node would refuse such a request with an empty answer of its own, which is switched off where the server is made.
  if (request.headers.host === undefined && request.httpVersion !== '1.0') {
    throw new AppError('invalid_request', 'HTTP/1.1 requests name their host.');
  }
  next();
}

/** The id that `requestContext` gave to the request of this answer. */
export function requestIdOf(response: Response): string {
  return String(response.getHeader('X-Request-Id') ?? '');
}
