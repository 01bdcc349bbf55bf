import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import { refuseEndlessBodies } from './json-body.ts';

/** Holds ten thousand lines. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;
const TOO_LARGE = 'A file may have at most 2 MB.';

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads a body of CSV, of at most 2 MB of UTF-8, as a text. Throws unsupported_media_type for any other kind, payload_too_large, invalid_request. */
export function csvBody(): readonly RequestHandler[] {
  const read = express.raw({ limit: MAX_BODY_BYTES, inflate: false, type: 'text/csv' });
  return [refuseOtherTypes, refuseEndlessBodies(tellLimit(read), TOO_LARGE), toText];
}

function refuseOtherTypes(request: Request, _response: Response, next: NextFunction): void {
  const charset = /;\s*charset="?([^;"\s]+)/i.exec(request.get('content-type') ?? '')?.[1] ?? 'utf-8';
  if (request.is('text/csv') === false || charset.toLowerCase() !== 'utf-8') {
    throw new AppError('unsupported_media_type', 'Send the file as text/csv in UTF-8.');
  }
  next();
}

/** The parser's own refusal speaks of another limit in our words. */
function tellLimit(read: RequestHandler): RequestHandler {
  return (request, response, next) =>
    read(request, response, (error?: unknown) => {
      const isTooLarge = error instanceof Error && 'type' in error && error.type === 'entity.too.large';
      next(isTooLarge ? new AppError('payload_too_large', TOO_LARGE) : error);
    });
}

function toText(request: Request, _response: Response, next: NextFunction): void {
  if (!Buffer.isBuffer(request.body)) throw new AppError('invalid_request', 'Send the file as the body.');
  try {
    request.body = decoder.decode(request.body);
  } catch {
    throw new AppError('invalid_request', 'The file is not in UTF-8.');
  }
  next();
}
