import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';

/** Holds a thousand wallets with names and labels three times over. */
const MAX_BODY_BYTES = 1024 * 1024;

/** Reads a JSON body of at most 1 MB. Throws unsupported_media_type for any other kind; a missing body is left undefined. */
export function jsonBody(): readonly RequestHandler[] {
  return [refuseOtherTypes, express.json({ limit: MAX_BODY_BYTES, inflate: false, strict: true })];
}

function refuseOtherTypes(request: Request, _response: Response, next: NextFunction): void {
  const isEmpty = request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0;
  if (!isEmpty && request.is('application/json') === false) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.');
  }
  next();
}
