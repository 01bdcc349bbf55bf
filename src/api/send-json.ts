import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Problem } from './schemas/problem.ts';

/**
 * The fields that change with the clock alone. Two answers that differ in nothing else say the same, so the tag leaves them out; and since their
 * bytes do differ, that tag is a weak one. A quote inside a JSON string is always escaped, so this cannot match within a text.
 */
const CLOCK_FIELDS = /"(?:age_seconds|generated_at)":(?:null|\d+|"[^"]*")/g;

/** The ETag of a JSON text: strong over its bytes, weak over its content when parts of it move with the clock. */
export function etagOf(json: string): string {
  const content = json.replace(CLOCK_FIELDS, '');
  const tag = `"${hash('sha256', content, 'base64url').slice(0, 27)}"`;
  return content.length === json.length ? tag : `W/${tag}`;
}

/** Sends a JSON answer. A 200 to a GET that may be stored carries an ETag, and is a 304
 * when the client has it already. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  { status, body, headers = {} }: { status: number; body: unknown; headers?: Readonly<Record<string, string>> },
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', isRead ? 'private, no-cache' : 'no-store');
  if (body === null) {
    response.writeHead(status).end();
    return;
  }
  const json = JSON.stringify(body);
  if (isRead && status === 200 && response.getHeader('Cache-Control') !== 'no-store') {
    const etag = etagOf(json);
    response.setHeader('ETag', etag);
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304).end();
      return;
    }
  }
  send(response, status, { type: 'application/json; charset=utf-8', text: json });
}

/** Sends a text, as what it is. It is never stored. */
export function sendText(response: ServerResponse, { status, type, text }: { status: number; type: string; text: string }): void {
  response.setHeader('Cache-Control', 'no-store');
  send(response, status, { type, text });
}

/** Sends a problem document. */
export function sendProblem(response: ServerResponse, problem: Problem, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.setHeader('Cache-Control', 'no-store');
  send(response, problem.status, { type: 'application/problem+json; charset=utf-8', text: JSON.stringify(problem) });
}

function send(response: ServerResponse, status: number, { type, text }: { type: string; text: string }): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(text) }).end(text);
}

/** Compares weakly, as RFC 9110 has it for If-None-Match. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  const wanted = etag.replace(/^W\//, '');
  return header.split(',').some((part) => part.trim() === '*' || part.trim().replace(/^W\//, '') === wanted);
}
