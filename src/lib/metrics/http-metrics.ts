import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export type HttpMetrics = {
  readonly onRequestStart: () => void;
  /** `route` is the template that answered, null when none did; `status` is null for an answer that was cut off. */
  readonly onRequestEnd: (request: {
    readonly method: string;
    readonly route: string | null;
    readonly status: number | null;
    /** null for what has no length of its own: a stream lasts for as long as its reader likes. */
    readonly seconds: number | null;
  }) => void;
};

/** Around what a cached read takes (1 to 5 ms), what people notice (0.25 s) and the longest wait that may be asked for (60 s). */
const BUCKETS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 5, 30];

/** HEAD runs what GET runs. */
const METHODS: ReadonlyMap<string, string> = new Map([
  ['GET', 'GET'],
  ['HEAD', 'GET'],
  ['POST', 'POST'],
  ['PUT', 'PUT'],
  ['PATCH', 'PATCH'],
  ['DELETE', 'DELETE'],
]);

/** Rate, errors and duration of requests, by route template. Whatever clients send, the labels are ours. */
export function createHttpMetrics(registry: Registry): HttpMetrics {
  const inFlight = new Gauge({ name: 'http_requests_in_flight', help: 'Requests being served.', registers: [registry] });
  const requests = new Counter({
    name: 'http_requests_total',
    help: 'Requests that were answered or cut off.',
    labelNames: ['method', 'route', 'status_class'],
    registers: [registry],
  });
  // Not by status as well: that would be six times the series.
  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from the arrival of a request to the end of its answer.',
    labelNames: ['method', 'route'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  });
  return {
    onRequestStart: () => inFlight.inc(),
    onRequestEnd({ method, route, status, seconds }) {
      inFlight.dec();
      const labels = { method: toMethod(method, status), route: route ?? 'unknown' };
      requests.inc({ ...labels, status_class: toStatusClass(status) });
      if (seconds !== null) duration.observe(labels, seconds);
    },
  };
}

/** A method that a route does not take is no label of it: that alone would multiply the series. */
function toMethod(method: string, status: number | null): string {
  return status === 405 ? 'other' : (METHODS.get(method) ?? 'other');
}

function toStatusClass(status: number | null): string {
  return status === null ? 'cut_off' : `${Math.floor(status / 100)}xx`;
}
