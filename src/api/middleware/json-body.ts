import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';

/** Holds a thousand wallets with names and labels three times over. */
const MAX_BODY_BYTES = 1024 * 1024;
/** Of a body that is too large this much is taken, so that the client is there to hear the answer. Who sends more is hung up on. */
const MAX_DROPPED_BYTES = 8 * 1024 * 1024;

/** Reads a JSON body of at most 1 MB. Throws unsupported_media_type for any other kind; a missing body is left undefined. */
export function jsonBody(): readonly RequestHandler[] {
  return [refuseOtherTypes, refuseEndlessBodies(express.json({ limit: MAX_BODY_BYTES, inflate: false, strict: true }))];
}

function refuseOtherTypes(request: Request, _response: Response, next: NextFunction): void {
  const isEmpty = request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0;
  if (!isEmpty && request.is('application/json') === false) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.');
  }
  next();
}

/** A parser that hangs up on who sends without end: by itself it refuses what is too large only when all of it has arrived. */
export function refuseEndlessBodies(parse: RequestHandler, tooLarge = 'A body may have at most 1 MB.'): RequestHandler {
  return (request, response, next) => {
    let isOver = false;
    const finish: NextFunction = (error?: unknown) => {
      if (isOver) return;
      isOver = true;
      if (error === undefined) next();
      else next(error);
    };
    const hangUp = (): void => {
      if (isOver) return;
      response.setHeader('Connection', 'close');
      finish(new AppError('payload_too_large', tooLarge));
    };
    if (Number(request.headers['content-length'] ?? 0) > MAX_DROPPED_BYTES) return hangUp();
    let size = 0;
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > MAX_DROPPED_BYTES) hangUp();
    });
    return parse(request, response, finish);
  };
}
