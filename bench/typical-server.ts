import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import express from 'express';
import { Redis } from 'ioredis';
import { pino } from 'pino';
import { Histogram, Registry } from 'prom-client';
import { RateLimiterRedis } from 'rate-limiter-flexible';

/**
 * What is usually put together for the same duties: Express as it comes, a dozen security headers, a log line with all headers, a limiter that asks
 * Redis for every request, a histogram, and an answer kept in Redis as text. Arguments: a file made by `saveAnswer` and a Redis.
 */
const [, , answerFile = '', redisUrl = ''] = process.argv;
const { body }: { body: string } = JSON.parse(readFileSync(answerFile, 'utf8'));
const redis = new Redis(redisUrl);
await redis.set('portfolio', body);
const limiter = new RateLimiterRedis({ storeClient: redis, points: 1_000_000_000, duration: 60 });
const log = pino();
const registry = new Registry();
const duration = new Histogram({
  ...{ name: 'http_request_duration_seconds', help: 'Duration', labelNames: ['method', 'route', 'status'] },
  registers: [registry],
});
const SECURITY_HEADERS = {
  'Content-Security-Policy':
    "default-src 'self';base-uri 'self';font-src 'self' https: data:;object-src 'none';script-src 'self'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Origin-Agent-Cluster': '?1',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000; includeSubDomains',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'X-Download-Options': 'noopen',
  'X-Frame-Options': 'SAMEORIGIN',
  'X-Permitted-Cross-Domain-Policies': 'none',
  'X-XSS-Protection': '0',
};

const app = express();
app.use((_request, response, next) => {
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.setHeader(name, value);
  next();
});
app.use((request, response, next) => {
  const startedAt = performance.now();
  const child = log.child({ req: { id: randomUUID(), method: request.method, url: request.url, headers: request.headers } });
  const observe = duration.startTimer();
  response.on('finish', () => {
    observe({ method: request.method, route: '/api/v1/portfolio', status: response.statusCode });
    const res = { statusCode: response.statusCode, headers: response.getHeaders() };
    child.info({ res, responseTime: performance.now() - startedAt }, 'request completed');
  });
  next();
});
app.use(async (request, _response, next) => {
  await limiter.consume(request.ip ?? '');
  next();
});
app.get('/api/v1/portfolio', async (_request, response) => {
  response.type('json').send((await redis.get('portfolio')) ?? '');
});
app.listen(Number(process.env.PORT), '127.0.0.1');
