import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createContext, currentTrace, formatTraceparent, parseTraceparent, runInTrace } from '../../src/lib/tracing-context.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it.each([
    `00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-00`,
    `00-${TRACE}-${SPAN}-ff`,
    `01-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-more`,
  ])('%s is taken, without its wish to be sampled', (header) => {
    expect(parseTraceparent(header)).toEqual({ traceId: TRACE, spanId: SPAN, isSampled: false });
  });

  it.each([
    undefined,
    '',
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-01-more`,
    `00-${TRACE}-${SPAN}-01-`,
    `01-${TRACE}-${SPAN}-01more`,
    `ff-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-${'x'.repeat(200)}`,
  ])('%s is not', (header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  it('says what it was made of, whatever else is sent', () => {
    fc.assert(
      fc.property(fc.string(), (sent) => {
        const parsed = parseTraceparent(sent);
        const context = createContext(parsed);
        expect(parseTraceparent(formatTraceparent(context))).toEqual(context);
        expect(formatTraceparent({ ...context, isSampled: true })).toBe(`00-${context.traceId}-${context.spanId}-01`);
      }),
    );
  });
});

it('a context is a part of its parent’s trace, or begins one of its own', () => {
  const root = createContext(undefined);
  const part = createContext(root);
  expect(part.traceId).toBe(root.traceId);
  expect(part.spanId).not.toBe(root.spanId);
  expect(createContext(undefined).traceId).not.toBe(root.traceId);
});

it('work keeps to its trace, and so does what follows from it', async () => {
  const [one, other] = [createContext(undefined), createContext(undefined)];
  const seen = await Promise.all(
    [one, other].map((context) =>
      runInTrace(context, async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return currentTrace();
      }),
    ),
  );
  expect(seen).toEqual([one, other]);
  expect(currentTrace()).toBeUndefined();
});
