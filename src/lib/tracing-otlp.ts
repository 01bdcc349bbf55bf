import { setTimeout as sleep } from 'node:timers/promises';
import { type Attributes, type Context, ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanExport, TracerOptions } from './tracing.ts';
import type { TraceContext } from './tracing-context.ts';

type OtlpOptions = Omit<TracerOptions, 'otlpEndpoint'> & { readonly otlpEndpoint: string };

/** What traces may cost whoever decides how many requests there are: new ones a second, the others go unseen. */
const MAX_TRACES_A_SECOND = 100;
const EXPORT_INTERVAL_MS = 1_000;
const EXPORT_TIMEOUT_MS = 5_000;
/** A collector that is gone is not waited for. */
const CLOSE_TIMEOUT_MS = 1_500;
/** Of an export that fails, once in this time is enough for the log. */
const QUIET_MS = 60_000;

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, job: SpanKind.CONSUMER } as const;

/** Exports spans in batches to an OpenTelemetry collector. What it does not take in time is dropped: traces are never worth a request. */
export function createOtlpExport({ otlpEndpoint, serviceName, version, log }: OtlpOptions): SpanExport {
  const exporter = new OTLPTraceExporter({
    url: `${otlpEndpoint.replace(/\/+$/, '')}/v1/traces`,
    timeoutMillis: EXPORT_TIMEOUT_MS,
  });
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: reportFailures(exporter, log),
        exportTimeoutMillis: EXPORT_TIMEOUT_MS,
        scheduledDelayMillis: EXPORT_INTERVAL_MS,
      }),
    ],
  });
  const tracer = provider.getTracer('chainfolio', version);
  const mayBegin = createAllowance(MAX_TRACES_A_SECOND);
  return {
    start({ name, kind, attributes }, parent) {
      // A trace that somebody outside began is new to us.
      if (parent?.isSampled !== true && (kind === 'client' || !mayBegin())) return undefined;
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: toOtel(attributes) }, toOtelContext(parent));
      const { traceId, spanId } = span.spanContext();
      return {
        context: { traceId, spanId, isSampled: true },
        isRecorded: true,
        end(end) {
          if (end?.name !== undefined) span.updateName(end.name);
          span.setAttributes(toOtel(end?.attributes));
          if (end?.error !== undefined) span.setAttribute('error.type', end.error).setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    close: () => Promise.race([provider.shutdown().catch(() => undefined), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]),
  };
}

function toOtel(attributes: Readonly<Record<string, string | number>> = {}): Attributes {
  return { ...attributes };
}

function toOtelContext(parent: TraceContext | undefined): Context {
  if (parent === undefined) return ROOT_CONTEXT;
  const { traceId, spanId } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: !parent.isSampled });
}

/** True this many times in each second. */
function createAllowance(perSecond: number): () => boolean {
  let second = 0;
  let given = 0;
  return () => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      second = now;
      given = 0;
    }
    given += 1;
    return given <= perSecond;
  };
}

function reportFailures(exporter: SpanExporter, log: TracerOptions['log']): SpanExporter {
  let quietUntil = 0;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.error !== undefined && performance.now() >= quietUntil) {
          quietUntil = performance.now() + QUIET_MS;
          log.warn({ err: result.error }, 'traces cannot be exported');
        }
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}
