import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { AppError } from '../../domain/errors.ts';

/** Holds a thousand wallets with names and labels three times over. */
const MAX_BODY_BYTES = 1024 * 1024;
/** No body of ours is nested deeper than 5. */
const MAX_DEPTH = 16;
/** A thousand wallets on every chain have some 20,000. */
const MAX_VALUES = 50_000;
/** Of a body that is too large this much is taken, so that the client is there to hear the answer. Who sends more is hung up on. */
const MAX_DROPPED_BYTES = 8 * 1024 * 1024;

/**
 * Reads a JSON body of at most 1 MB. Throws unsupported_media_type for any other kind, invalid_json for one that holds too much or too deep; a missing
 * body is left undefined.
 */
export function jsonBody(): readonly RequestHandler[] {
  const parse = express.json({ limit: MAX_BODY_BYTES, inflate: false, strict: true, verify: refuseOddShapes });
  return [refuseOtherTypes, refuseEndlessBodies(parse)];
}

function refuseOtherTypes(request: Request, _response: Response, next: NextFunction): void {
  const isEmpty = request.headers['transfer-encoding'] === undefined && Number(request.headers['content-length'] ?? 0) === 0;
  if (!isEmpty && request.is('application/json') === false) {
    throw new AppError('unsupported_media_type', 'Send the body as application/json.');
  }
  const charset = /;\s*charset="?([^;"\s]+)/i.exec(request.get('content-type') ?? '')?.[1] ?? 'utf-8';
  if (charset.toLowerCase() !== 'utf-8') throw new AppError('unsupported_media_type', 'Send the body in UTF-8.');
  next();
}

/** Counts before anything is parsed, since a megabyte of brackets becomes a hundred times as much memory. */
function refuseOddShapes(_request: unknown, _response: unknown, body: Buffer): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) at = endOfText(body, at);
    else if (byte === BRACE || byte === BRACKET) depth++;
    else if (byte === CLOSING_BRACE || byte === CLOSING_BRACKET) depth--;
    else if (byte === COMMA) values++;
    if (depth > MAX_DEPTH) throw new AppError('invalid_json', `A body may be nested ${MAX_DEPTH} deep.`);
    if (values > MAX_VALUES) throw new AppError('invalid_json', 'A body may hold 50,000 values.');
  }
}

/** The quote that ends a text. */
function endOfText(body: Buffer, start: number): number {
  for (let at = start + 1; at < body.length; at++) {
    if (body[at] === BACKSLASH) at++;
    else if (body[at] === QUOTE) return at;
  }
  return body.length;
}

const [QUOTE, BACKSLASH, COMMA, BRACE, CLOSING_BRACE, BRACKET, CLOSING_BRACKET] = Buffer.from('"\\,{}[]');

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
