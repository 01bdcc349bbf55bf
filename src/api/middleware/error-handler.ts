import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { AppError, type ErrorCode, toAppError } from '../../domain/errors.ts';
import { httpFaceOf, problemHeaders, toProblem } from '../http-errors.ts';
import { sendProblem } from '../send-json.ts';
import { requestIdOf } from './request-context.ts';

/** Path of a request without its query, cut to a decent length. */
export function instanceOf(request: Request): string {
  const [path = '/'] = request.originalUrl.split('?');
  return path.slice(0, 500);
}

/** Answers everything thrown with a problem document. What is our fault goes to the log with its cause. */
export function createErrorHandler(log: Logger) {
  return (thrown: unknown, request: Request, response: Response, next: NextFunction): void => {
    const error = translate(thrown);
    const requestId = requestIdOf(response);
    const { status } = httpFaceOf(error.code);
    // The client is gone: nobody is left to be told, and nothing is wrong with us.
    if (response.destroyed) return;
    if (error.code === 'internal') log.error({ err: error.cause ?? error, request_id: requestId }, 'request failed');
    else if (status >= 500) log.warn({ err: error, code: error.code, request_id: requestId }, 'request could not be served');
    // Part of the answer is out already; Express then cuts the connection.
    if (response.headersSent) next(thrown ?? error);
    else sendProblem(response, toProblem(error, { instance: instanceOf(request), requestId }), problemHeaders(error));
  };
}

/** Answers whatever no route took. */
export function refuseUnknownRoute(): never {
  throw new AppError('route_not_found', 'See /docs for what there is.');
}

const PARSER_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  'entity.parse.failed': ['invalid_json', 'The body cannot be read as a JSON object.'],
  'entity.too.large': ['payload_too_large', 'A body may have at most 1 MB.'],
  'encoding.unsupported': ['unsupported_media_type', 'Send the body uncompressed.'],
  'charset.unsupported': ['unsupported_media_type', 'Send the body in UTF-8.'],
  'request.aborted': ['invalid_request', 'The body did not arrive whole.'],
  'request.size.invalid': ['invalid_request', 'The body is not as long as the request says.'],
};

/** Errors of Express and its body parser in our words: their own would quote the request. */
function translate(thrown: unknown): AppError {
  if (thrown instanceof AppError || !(thrown instanceof Error)) return toAppError(thrown);
  const type = 'type' in thrown && typeof thrown.type === 'string' ? thrown.type : '';
  const known = PARSER_ERRORS[type];
  if (known !== undefined) return new AppError(...known);
  // A path that cannot be decoded.
  if (thrown instanceof URIError) return new AppError('invalid_request', 'The path is not valid.');
  return toAppError(thrown);
}
