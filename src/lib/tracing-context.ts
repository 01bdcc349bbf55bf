import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';

/** Where in which trace the present work stands, by the ids of W3C Trace Context. */
export type TraceContext = {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** Whether the trace is exported. Only we decide that: it costs us. */
  readonly isSampled: boolean;
};

const storage = new AsyncLocalStorage<TraceContext>();

/** The trace that the present work belongs to, if it belongs to one. */
export function currentTrace(): TraceContext | undefined {
  return storage.getStore();
}

/** Does work, and all that follows from it, under a trace. */
export function runInTrace<T>(context: TraceContext, work: () => T): T {
  return storage.run(context, work);
}

/** A span that is not exported, below a parent or at the root of a new trace. */
export function createContext(parent: TraceContext | undefined): TraceContext {
  // Two of its digits are fixed; those taken for the span are all random, and so are the last 14 of the trace.
  const digits = randomUUID().replaceAll('-', '');
  const traceId = parent?.traceId ?? randomUUID().replaceAll('-', '');
  return { traceId, spanId: digits.slice(0, 8) + digits.slice(-8), isSampled: false };
}

const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$/;
const MAX_TRACEPARENT_LENGTH = 200;

/** What a `traceparent` header says; undefined for none and for any that breaks the format. Its wish to be sampled is not heeded. */
export function parseTraceparent(header: string | undefined): TraceContext | undefined {
  if (header === undefined || header.length > MAX_TRACEPARENT_LENGTH) return undefined;
  const [, version, traceId, spanId, rest] = TRACEPARENT.exec(header) ?? [];
  if (traceId === undefined || spanId === undefined) return undefined;
  // Only versions to come may say more.
  if (version === '00' && rest !== undefined) return undefined;
  return { traceId, spanId, isSampled: false };
}

/** The `traceparent` header that passes a trace on. */
export function formatTraceparent({ traceId, spanId, isSampled }: TraceContext): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`;
}
