import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { createEventMetrics, type EventMetrics } from './metrics/event-metrics.ts';
import { createHttpMetrics, type HttpMetrics } from './metrics/http-metrics.ts';
import { createJobMetrics, type JobMetrics } from './metrics/job-metrics.ts';
import { createLogMetrics, type LogMetrics } from './metrics/log-metrics.ts';
import { createRpcMetrics, type RpcMetrics } from './metrics/rpc-metrics.ts';
import { createStorageMetrics, type StorageMetrics } from './metrics/storage-metrics.ts';
import { createTransferMetrics, type TransferMetrics } from './metrics/transfer-metrics.ts';
import { createTrustMetrics, type TrustMetrics } from './metrics/trust-metrics.ts';
import { createWebhookMetrics, type WebhookMetrics } from './metrics/webhook-metrics.ts';

/**
 * What the service counts, as narrow callbacks that are handed to whoever has something to tell. Labels come from bounded sets: never an
 * address, a tenant, a key, a URL or the text of an error.
 */
export type Metrics = HttpMetrics &
  EventMetrics &
  RpcMetrics &
  StorageMetrics &
  JobMetrics &
  LogMetrics &
  TransferMetrics &
  TrustMetrics &
  WebhookMetrics & {
    /** Runs before each scrape, to set gauges. It must be quick: what has to be asked for is asked in the background. */
    readonly onScrape: (collect: () => void) => void;
    /** Everything in Prometheus' text format. */
    readonly scrape: () => Promise<string>;
  };

/** Which format that is. */
export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Gauges named as counters are, lists of every open handle, which take the longer the more clients there are, and figures of the event loop that are no numbers
 * when two scrapes follow close upon each other.
 */
const UNWANTED = [
  'nodejs_eventloop_lag_min_seconds',
  'nodejs_eventloop_lag_mean_seconds',
  'nodejs_eventloop_lag_stddev_seconds',
  'nodejs_active_handles',
  'nodejs_active_handles_total',
  'nodejs_active_requests',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** A registry of its own with every instrument, those of the process and its event loop included. */
export function createMetrics({ version }: { readonly version: string }): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of UNWANTED) registry.removeSingleMetric(name);
  new Gauge({
    name: 'build_info',
    help: 'Always 1; tells what is running.',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.versions.node }, 1);
  const collectors: (() => void)[] = [];
  return {
    ...createHttpMetrics(registry),
    ...createEventMetrics(registry),
    ...createRpcMetrics(registry),
    ...createStorageMetrics(registry),
    ...createJobMetrics(registry),
    ...createLogMetrics(registry),
    ...createTransferMetrics(registry),
    ...createTrustMetrics(registry),
    ...createWebhookMetrics(registry),
    onScrape: (collect) => void collectors.push(collect),
    scrape() {
      for (const collect of collectors) collect();
      return registry.metrics();
    },
  };
}
