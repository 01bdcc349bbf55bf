import { readFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import express, { type RequestHandler } from 'express';
import { createAnswerCache } from '../src/adapters/cache/answer-cache.ts';
import { createHttpServer } from '../src/api/http-server.ts';
import { requestContext } from '../src/api/middleware/request-context.ts';
import { sendAnswer } from '../src/api/send-json.ts';
import { createServer } from '../src/api/server.ts';
import { createLogger } from '../src/lib/logger.ts';
import { createMetrics } from '../src/lib/metrics.ts';
import { createRateLimiter } from '../src/lib/rate-limiter.ts';
import { type CachedAnswer, createAnswerService } from '../src/services/answer-service.ts';
import { buildServerDeps } from '../test/support/stub-services.ts';

/**
 * The real app around one answer, without one of its parts, to find out what that part costs. Arguments: a file made by `saveAnswer`; and what to leave
 * out: `nothing`, `log`, `limits`, `metrics`, `cache`, or all but `context`, or `everything`.
 */
const [, , answerFile = '', leftOut = 'nothing'] = process.argv;
const { body }: { body: string } = JSON.parse(readFileSync(answerFile, 'utf8'));
const rendered = { bytes: Buffer.from(body), etag: '"bench"' };
const atHand: CachedAnswer = { ...rendered, outcome: 'memory_hit', ageMs: 0, ttlMs: 1_000, detail: null };

const app = leftOut === 'everything' ? plainApp([]) : leftOut === 'all-but-context' ? plainApp([requestContext]) : wholeApp();
const server = createHttpServer({ app, host: '127.0.0.1', port: Number(process.env.PORT), drainDelayMs: 0, deadlineMs: 1_000 });
process.once('SIGTERM', () => server.stop().then(() => process.exit(0)));
await server.listen();

function plainApp(handlers: readonly RequestHandler[]): RequestListener {
  const plain = express();
  plain.disable('x-powered-by').disable('etag').set('query parser', false);
  for (const handler of handlers) plain.use(handler);
  plain.use((request, response) => sendAnswer(request, response, atHand));
  return plain;
}

function wholeApp(): RequestListener {
  const metrics = createMetrics({ version: '0.0.0' });
  const log = createLogger({ level: leftOut === 'log' ? 'silent' : 'info', secrets: ['a secret of some length'] });
  const version = { own: 1n, shared: 1n };
  const answers = createAnswerService({
    cache: createAnswerCache({ shared: undefined, now: Date.now, onOutcome: metrics.onCache }),
    feed: { currentVersion: async () => version, askVersion: async () => version, forget: () => undefined },
  });
  const limiter = createRateLimiter({
    ...{ points: 10_000_000, windowSeconds: 60, redis: null, instanceCount: 1, log },
    onSpend: metrics.onLimiter,
  });
  const noMetrics = { ...metrics, onRequestStart: () => undefined, onRequestEnd: () => undefined };
  return createServer(
    buildServerDeps(
      {
        answers: {
          read: (request) =>
            leftOut === 'cache' ? Promise.resolve(atHand) : answers.read({ ...request, render: async () => rendered }),
        },
      },
      {
        ...{ log, isLoopback: true, rateLimiter: leftOut === 'limits' ? null : limiter },
        metrics: leftOut === 'metrics' ? noMetrics : metrics,
      },
    ),
  );
}
