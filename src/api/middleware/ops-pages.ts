import type { NextFunction, Request, Response } from 'express';
import { METRICS_CONTENT_TYPE, type Metrics } from '../../lib/metrics.ts';
import type { ReadinessService } from '../../services/readiness-service.ts';
import { sendText } from '../send-json.ts';
import { isNear } from './client-address.ts';
import { requireLoopbackHost } from './loopback-host.ts';
import { requestContext } from './request-context.ts';

export type OpsDeps = {
  readonly readiness: Pick<ReadinessService, 'isAlive' | 'isStarted' | 'getReadiness'>;
  readonly metrics: Pick<Metrics, 'scrape'>;
  /** Whether the process listens for this machine alone. */
  readonly isLoopback: boolean;
};

/** Whoever reaches this may ask for metrics without a key, as often as they like, and making them costs as much as many requests. */
const METRICS_KEPT_MS = 250;

const METRICS_PATH = '/metrics';

type Page = (response: Response) => void | Promise<void>;

/**
 * What the surroundings ask: orchestrators at `/health/live`, `/health/ready` and `/health/startup`, Prometheus at `/metrics`. It stands before everything else: probes are
 * neither logged nor counted nor limited, and are answered from what is known. It costs other requests one look into a map. Metrics are for collectors of one's own network:
 * they take no key, and there is nothing at this path for anybody else.
 */
export function createOpsPages({ readiness, metrics, isLoopback }: OpsDeps) {
  const scrape = keepFor(METRICS_KEPT_MS, () => metrics.scrape());
  const pages = new Map<string, Page>([
    ['/health/live', (response) => answer(response, readiness.isAlive(), { status: readiness.isAlive() ? 'alive' : 'failed' })],
    [
      '/health/startup',
      (response) => answer(response, readiness.isStarted(), { status: readiness.isStarted() ? 'started' : 'starting' }),
    ],
    ['/health/ready', (response) => answerReady(response, readiness.getReadiness())],
    [METRICS_PATH, async (response) => sendText(response, { status: 200, type: METRICS_CONTENT_TYPE, text: await scrape() })],
  ]);
  return (request: Request, response: Response, next: NextFunction): void | Promise<void> => {
    const page = request.method === 'GET' || request.method === 'HEAD' ? pages.get(request.path) : undefined;
    if (page === undefined || (request.path === METRICS_PATH && !isNear(request.socket.remoteAddress))) {
      next();
      return;
    }
    const goOn = (): void => undefined;
    requestContext(request, response, goOn);
    if (isLoopback) requireLoopbackHost(request, response, goOn);
    return page(response);
  };
}

function answerReady(response: Response, { status, isDraining, parts }: ReturnType<ReadinessService['getReadiness']>): void {
  const known = Object.fromEntries(parts.map((part) => [part.name, part.status]));
  answer(response, status !== 'unready', { status, draining: isDraining, parts: known });
}

function answer(response: Response, isGood: boolean, body: object): void {
  sendText(response, {
    status: isGood ? 200 : 503,
    type: 'application/json; charset=utf-8',
    text: JSON.stringify(body),
  });
}

/** Makes something once for all who ask in so short a time. */
function keepFor<T>(keptMs: number, make: () => Promise<T>): () => Promise<T> {
  let kept: { readonly made: Promise<T>; readonly atMs: number } | undefined;
  return () => {
    const atMs = performance.now();
    if (kept === undefined || atMs - kept.atMs >= keptMs) kept = { made: make(), atMs };
    return kept.made;
  };
}
