import type { NextFunction, Request, Response } from 'express';
import type { Logger } from 'pino';
import { currentTrace } from '../../lib/tracing-context.ts';
import { principalOf } from './principal.ts';
import { requestIdOf } from './request-context.ts';

const ROUTE_KEY = 'route';
const STREAM_KEY = 'stream';

/** Notes the template of the route that answers, for the log: a path would carry addresses and ids into it. */
export function noteRoute(response: Response, template: string): void {
  response.locals[ROUTE_KEY] = template;
}

/** The template that was noted, null when no route took the request. */
export function routeOf(response: Response): string | null {
  const route: unknown = response.locals[ROUTE_KEY];
  return typeof route === 'string' ? route : null;
}

/** Notes that an answer goes on until its reader has had enough, so that nothing is wrong with one that does not end by itself. */
export function noteStream(response: Response): void {
  response.locals[STREAM_KEY] = true;
}

/** The status of an answer whose connection is closed; null for one that was cut off. */
export function endStatusOf(response: Response): number | null {
  return response.writableFinished || response.locals[STREAM_KEY] === true ? response.statusCode : null;
}

/** Writes one line for each request when it has ended: never a query, a body, a path with values in it or a header but the request id. */
export function createRequestLog(log: Logger) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    // An answer ends outside of its trace.
    const trace = currentTrace();
    response.once('close', () => {
      const status = endStatusOf(response);
      log.info(
        {
          method: request.method,
          route: routeOf(response),
          status,
          ms: Math.round((performance.now() - startedAt) * 10) / 10,
          request_id: requestIdOf(response),
          key_id: principalOf(response)?.keyId ?? undefined,
          trace_id: trace?.traceId,
        },
        status === null ? 'request cut off' : 'request',
      );
    });
    next();
  };
}
