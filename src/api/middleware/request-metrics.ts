import type { NextFunction, Request, Response } from 'express';
import { EVENT_STREAM_TYPE } from '../../lib/event-stream.ts';
import type { Metrics } from '../../lib/metrics.ts';
import { endStatusOf, routeOf } from './request-log.ts';

/** Counts and times each request under the template of its route. */
export function createRequestMetrics({ onRequestStart, onRequestEnd }: Pick<Metrics, 'onRequestStart' | 'onRequestEnd'>) {
  return (request: Request, response: Response, next: NextFunction): void => {
    const startedAt = performance.now();
    onRequestStart();
    response.once('close', () => {
      onRequestEnd({
        method: request.method,
        route: routeOf(response),
        status: endStatusOf(response),
        seconds: isStream(response) ? null : (performance.now() - startedAt) / 1000,
      });
    });
    next();
  };
}

function isStream(response: Response): boolean {
  return String(response.getHeader('Content-Type')).startsWith(EVENT_STREAM_TYPE);
}
