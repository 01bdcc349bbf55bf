import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { AppError, type ErrorCode } from '../domain/errors.ts';
import { httpFaceOf, toProblem } from './http-errors.ts';

const CLIENT_ERRORS: Readonly<Record<string, ErrorCode>> = {
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
};
const CLIENT_ERROR_DETAILS: Readonly<Record<string, string>> = {
  headers_too_large: 'The request line and headers may have 16 KB together.',
  request_timeout: 'Headers have 15 s to arrive, the whole request 30 s.',
};

/** Answers what Node's parser refused before there was a request to answer, and closes the connection. */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const code = CLIENT_ERRORS[error.code ?? ''] ?? 'invalid_request';
  const { status } = httpFaceOf(code);
  const detail = CLIENT_ERROR_DETAILS[code] ?? 'This is not HTTP as it should be.';
  const requestId = randomUUID();
  const json = JSON.stringify(toProblem(new AppError(code, detail), { instance: '/', requestId }));
  socket.end(
    [
      `HTTP/1.1 ${status} ${REASONS[status] ?? 'Bad Request'}`,
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(json)}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      `X-Request-Id: ${requestId}`,
      'Connection: close',
      '',
      json,
    ].join('\r\n'),
  );
}

const REASONS: Readonly<Record<number, string>> = { 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };
