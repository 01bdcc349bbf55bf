import { hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CachedAnswer } from '../services/answer-service.ts';
import type { Problem } from './schemas/problem.ts';

/**
 * The fields that change with the clock alone. Two answers that differ in nothing else say the same, so the tag leaves them out; and since their
 * bytes do differ, that tag is a weak one. A quote inside a JSON string is always escaped, so this cannot match within a text.
 */
const CLOCK_FIELDS = /"(?:age_seconds|generated_at)":(?:null|\d+|"[^"]*")/g;

export const JSON_TYPE = 'application/json; charset=utf-8';
const READ_POLICY = 'private, no-cache';

/** The ETag of an answer's text: strong over its bytes, weak over its content when parts of it move with the clock. */
export function etagOf(json: string): string {
  const content = json.replace(CLOCK_FIELDS, '');
  const tag = `"${hash('sha256', content, 'base64url').slice(0, 27)}"`;
  return content.length === json.length ? tag : `W/${tag}`;
}

/** An answer as it goes out. */
type Written = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Null: without a body. */
  readonly content: { readonly type: string; readonly text: string } | null;
};

/** Sends a JSON answer: see `sendWritten`. A body of null is none. */
export function sendJson(
  request: IncomingMessage,
  response: ServerResponse,
  { body, ...rest }: { status: number; body: unknown; headers?: Readonly<Record<string, string>> },
): void {
  const content = body === null ? null : { type: JSON_TYPE, text: JSON.stringify(body) };
  sendWritten(request, response, { ...rest, content });
}

/** Sends an answer. A 200 to a GET that may be stored carries an ETag, and is a 304 when the client has it already. */
export function sendWritten(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers = {}, content }: Written,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!response.hasHeader('Cache-Control')) response.setHeader('Cache-Control', isRead ? READ_POLICY : 'no-store');
  if (content === null) {
    response.writeHead(status).end();
    return;
  }
  if (isRead && status === 200 && response.getHeader('Cache-Control') !== 'no-store') {
    const etag = headers.ETag ?? etagOf(content.text);
    response.setHeader('ETag', etag);
    if (matches(request.headers['if-none-match'], etag)) {
      response.writeHead(304).end();
      return;
    }
  }
  send(response, status, content);
}

/** Sends a text, as what it is. It is never stored. */
export function sendText(response: ServerResponse, { status, type, text }: { status: number; type: string; text: string }): void {
  response.setHeader('Cache-Control', 'no-store');
  send(response, status, { type, text });
}

/** The bytes of an answer with their tag. */
export function toBytes(text: string): { readonly bytes: Buffer; readonly etag: string } {
  return { bytes: Buffer.from(text), etag: etagOf(text) };
}

/** Sends a 200 that was made before or is kept, or a 304 when the client has it already. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: CachedAnswer, type = JSON_TYPE): void {
  const { bytes, etag } = answer;
  const made = FORWARDED[answer.outcome];
  const head = ['Cache-Control', READ_POLICY, 'ETag', etag, 'Cache-Status', made ?? describeHit(answer)];
  if (made === undefined) head.push('Age', String(Math.floor(answer.ageMs / 1000)));
  if (matches(request.headers['if-none-match'], etag)) {
    response.writeHead(304, head).end();
    return;
  }
  head.push('Content-Type', type, 'Content-Length', String(bytes.length));
  response.writeHead(200, head).end(bytes);
}

/** By RFC 9211: what was kept, and how long it is fresh still. */
function describeHit({ ttlMs, detail }: CachedAnswer): string {
  return `chainfolio; hit; ttl=${Math.floor(ttlMs / 1000)}${detail === null ? '' : `; detail=${detail}`}`;
}

/** By RFC 9211, for answers that were made just now. */
const FORWARDED: Readonly<Partial<Record<CachedAnswer['outcome'], string>>> = {
  miss: 'chainfolio; fwd=miss; stored',
  joined: 'chainfolio; fwd=miss; collapsed',
  bypass: 'chainfolio; fwd=request',
};

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
