import { randomUUID } from 'node:crypto';
import type { NextFunction, Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import { beginHead, findInHead } from '../answer-head.ts';
import { SECURITY_HEADERS } from '../security-headers.ts';

/** No client of ours sends more. Node itself leaves out those beyond two thousand without a word. */
const MAX_HEADERS = 100;

const ID_HEADER = 'X-Request-Id';
const REQUEST_ID = /^[A-Za-z0-9-]{1,64}$/;

/** Gives every request its id, the client's own if that is a decent one, and every answer the id and the security headers. */
export function requestContext(request: Request, response: Response, next: NextFunction): void {
  const sent = request.headers['x-request-id'];
  const id = typeof sent === 'string' && REQUEST_ID.test(sent) ? sent : randomUUID();
  beginHead(response, [ID_HEADER, id, ...SECURITY_HEADERS]);
  // Node would refuse such a request with an empty answer of its own, which is switched off where the server is made.
  if (request.headers.host === undefined && request.httpVersion !== '1.0') {
    throw new AppError('invalid_request', 'HTTP/1.1 requests name their host.');
  }
  if (request.rawHeaders.length > 2 * MAX_HEADERS) {
    throw new AppError('headers_too_large', `A request may have ${MAX_HEADERS} headers.`);
  }
  next();
}

/** The id that `requestContext` gave to the request of this answer. */
export function requestIdOf(response: Response): string {
  return findInHead(response, ID_HEADER) ?? '';
}
