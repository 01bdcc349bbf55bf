import type { NextFunction, Request, Response } from 'express';
import type { Tracer } from '../../lib/tracing.ts';
import { parseTraceparent, runInTrace } from '../../lib/tracing-context.ts';
import { routeOf } from './request-log.ts';

/** Serves each request under a trace, the client's own if it names one. Its span tells the template of the route, never the path. */
export function createRequestTrace(tracer: Pick<Tracer, 'serve'>) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const { method } = request;
    const remote = parseTraceparent(headerOf(request));
    const span = tracer.serve({ name: 'request', kind: 'server' }, remote);
    if (span.isRecorded) {
      response.once('close', () => {
        const route = routeOf(response) ?? 'unknown';
        const { writableFinished, statusCode } = response;
        span.end({
          name: `${method} ${route}`,
          attributes: {
            'http.request.method': method,
            'http.route': route,
            ...(writableFinished ? { 'http.response.status_code': statusCode } : {}),
          },
          ...(writableFinished && statusCode < 500 ? {} : { error: writableFinished ? String(statusCode) : 'cut_off' }),
        });
      });
    }
    runInTrace(span.context, next);
  };
}

function headerOf({ headers }: Request): string | undefined {
  return typeof headers.traceparent === 'string' ? headers.traceparent : undefined;
}
