import express, { type Express } from 'express';
import type { Logger } from 'pino';
import { createErrorHandler, refuseUnknownRoute } from './middleware/error-handler.ts';
import { createOpsPages, type OpsDeps } from './middleware/ops-pages.ts';
import { requestContext } from './middleware/request-context.ts';

/** The only face of a process that serves no API: its health and its metrics. */
export function createOpsServer({ log, ...deps }: OpsDeps & { readonly log: Logger }): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', false);
  app.use(createOpsPages(deps), requestContext, refuseUnknownRoute, createErrorHandler(log));
  return app;
}
