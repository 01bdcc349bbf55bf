import { createContext, currentTrace, runInTrace, type TraceContext } from './tracing-context.ts';

export type Attributes = Readonly<Record<string, string | number>>;

export type SpanOptions = {
  readonly name: string;
  /** Whether it serves somebody, calls somebody, or does a job. */
  readonly kind: 'server' | 'client' | 'job';
  /** Of bounded length and without secrets: they leave the process as they are. */
  readonly attributes?: Attributes;
};

/** What became of the work. `error` is a code, never the text of an error. */
export type SpanEnd = { readonly name?: string; readonly attributes?: Attributes; readonly error?: string };

/** A piece of work with a beginning and an end. */
export type Span = {
  readonly context: TraceContext;
  /** Whether anybody will see how it ends. */
  readonly isRecorded: boolean;
  end(end?: SpanEnd): void;
};

/** Follows work through the service. The rest of the code knows traces through this alone. */
export type Tracer = {
  /** Begins work for somebody outside, under the trace that they named if they did. */
  serve(options: SpanOptions, remote: TraceContext | undefined): Span;
  /** Does work as a part of the present trace, or of a new one. The end is told by what it resolves with, or by the code of what it throws. */
  follow<T>(options: SpanOptions, work: () => Promise<T>, describe?: (result: T) => SpanEnd): Promise<T>;
  /** Hands over what is not exported yet. */
  close(): Promise<void>;
};

/** Makes the spans that are exported. */
export type SpanExport = {
  /** Undefined when this trace shall not be exported. */
  start(options: SpanOptions, parent: TraceContext | undefined): Span | undefined;
  close(): Promise<void>;
};

export type TracerOptions = {
  /** Where a collector takes OTLP over HTTP; null: nothing is exported, and nothing for it is loaded. */
  readonly otlpEndpoint: string | null;
  /** What the process is called among others. */
  readonly serviceName: string;
  readonly version: string;
  readonly log: { warn(details: object, message: string): void };
};

/** Makes the tracer of a process. Ids are given and passed on whether or not anything is exported. */
export async function createTracer({ otlpEndpoint, ...options }: TracerOptions): Promise<Tracer> {
  if (otlpEndpoint === null) return createTracerOver(undefined);
  const { createOtlpExport } = await import('./tracing-otlp.ts');
  return createTracerOver(createOtlpExport({ ...options, otlpEndpoint }));
}

function createTracerOver(spans: SpanExport | undefined): Tracer {
  const start = (options: SpanOptions, parent: TraceContext | undefined): Span =>
    spans?.start(options, parent) ?? { context: createContext(parent), isRecorded: false, end: () => undefined };
  return {
    serve: start,
    async follow(options, work, describe) {
      const parent = currentTrace();
      // Nobody would see a span of its own.
      if (parent !== undefined && !parent.isSampled) return work();
      const span = start(options, parent);
      try {
        const result = await runInTrace(span.context, work);
        span.end(describe?.(result));
        return result;
      } catch (error) {
        span.end({ error: codeOf(error) });
        throw error;
      }
    },
    close: async () => spans?.close(),
  };
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'internal';
}
