import type { NextFunction, Request, Response } from 'express';

const METHODS = 'GET, HEAD, POST, PATCH, DELETE';
const REQUEST_HEADERS =
  'Authorization, Cache-Control, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, Prefer, traceparent, X-API-Key, X-Request-Id';
/** What a page may read besides the few headers that every page may. */
const ANSWER_HEADERS =
  'Age, Allow, Cache-Status, ETag, Idempotent-Replayed, Location, Preference-Applied, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id';
const PREFLIGHT_SECONDS = '3600';

/**
 * Lets pages of these origins call the API from a browser; `*` stands for all. Others can send what any page may send anywhere, but read nothing.
 * Cookies and logins of the browser are never asked for.
 */
export function createCors(origins: readonly string[]) {
  const allowed = new Set(origins);
  const isOpen = allowed.has('*');
  return (request: Request, response: Response, next: NextFunction): void => {
    const { origin } = request.headers;
    if (!isOpen) response.vary('Origin');
    if (origin === undefined || !(isOpen || allowed.has(origin))) {
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Origin', isOpen ? '*' : origin);
    if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) {
      response.setHeader('Access-Control-Expose-Headers', ANSWER_HEADERS);
      next();
      return;
    }
    response.setHeader('Access-Control-Allow-Methods', METHODS);
    response.setHeader('Access-Control-Allow-Headers', REQUEST_HEADERS);
    response.setHeader('Access-Control-Max-Age', PREFLIGHT_SECONDS);
    response.setHeader('Cache-Control', 'no-store');
    response.writeHead(204).end();
  };
}
