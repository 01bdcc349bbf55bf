import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../src/domain/errors.ts';
import { createTracer, type Tracer, type TracerOptions } from '../../src/lib/tracing.ts';
import { createContext, currentTrace, runInTrace } from '../../src/lib/tracing-context.ts';
import { traceHttpClient } from '../../src/lib/tracing-http.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';

const told: object[] = [];
const options: Omit<TracerOptions, 'otlpEndpoint'> = {
  serviceName: 'chainfolio',
  version: '1.2.3',
  log: { warn: (details) => told.push(details) },
};

describe('a tracer that exports', () => {
  let receiver: OtlpReceiver;
  let tracer: Tracer;
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
    tracer = await createTracer({ ...options, otlpEndpoint: `${receiver.endpoint}/` });
  });
  afterEach(() => receiver.close());

  it('sends what was served, what was called for it, and how both ended', async () => {
    const remote = createContext(undefined);
    const served = tracer.serve({ name: 'request', kind: 'server' }, remote);
    await runInTrace(served.context, async () => {
      await tracer.follow(
        { name: 'good', kind: 'client' },
        async () => 7,
        (n) => ({ attributes: { n } }),
      );
      const failing = tracer.follow({ name: 'bad', kind: 'client' }, async () => {
        throw new AppError('upstream_timeout', 'CANARY');
      });
      await expect(failing).rejects.toThrow('CANARY');
    });
    served.end({ name: 'GET /api/v1/wallets/{id}', attributes: { 'http.response.status_code': 502 }, error: '502' });
    await tracer.close();

    const byName = new Map(receiver.spans().map((span) => [span.name, span]));
    const request = byName.get('GET /api/v1/wallets/{id}');
    expect(request).toMatchObject({ traceId: remote.traceId, parentSpanId: remote.spanId, kind: 2, status: { code: 2 } });
    expect(request?.spanId).toBe(served.context.spanId);
    for (const name of ['good', 'bad']) {
      expect(byName.get(name)).toMatchObject({ traceId: remote.traceId, parentSpanId: request?.spanId, kind: 3 });
    }
    expect(byName.get('good')?.attributes).toEqual([{ key: 'n', value: { intValue: 7 } }]);
    expect(byName.get('bad')?.attributes).toEqual([{ key: 'error.type', value: { stringValue: 'upstream_timeout' } }]);
    expect(receiver.text()).toContain('"stringValue":"1.2.3"');
    expect(receiver.text()).not.toContain('CANARY');
  });

  it('begins a trace for a job, and none for a call that belongs to nothing', async () => {
    await tracer.follow({ name: 'job', kind: 'job' }, async () => {
      await tracer.follow({ name: 'call', kind: 'client' }, async () => undefined);
    });
    await tracer.follow({ name: 'alone', kind: 'client' }, async () => undefined);
    await tracer.close();
    expect(
      receiver
        .spans()
        .map(({ name }) => name)
        .sort(),
    ).toEqual(['call', 'job']);
  });

  it('exports no more than 100 traces of a second, however many there are', async () => {
    const spans = Array.from({ length: 1_000 }, () => tracer.serve({ name: 'request', kind: 'server' }, undefined));
    for (const span of spans) span.end();
    await tracer.close();
    expect(receiver.spans().length).toBeGreaterThanOrEqual(100);
    // The second may have changed meanwhile, and once more on a slow machine.
    expect(receiver.spans().length).toBeLessThanOrEqual(300);
    expect(new Set(spans.map(({ context }) => context.traceId)).size).toBe(1_000);
  });
});

describe('a tracer whose collector is gone', () => {
  it('says so once, and disturbs nobody', async () => {
    const receiver = await startOtlpReceiver();
    await receiver.close();
    told.length = 0;
    const tracer = await createTracer({ ...options, otlpEndpoint: receiver.endpoint });
    expect(await tracer.follow({ name: 'job', kind: 'job' }, async () => 'done')).toBe('done');
    await vi.waitFor(() => expect(told).toEqual([{ err: expect.any(Error) }]), { timeout: 25_000 });
    expect(await tracer.follow({ name: 'job', kind: 'job' }, async () => 'done')).toBe('done');
    const startedAt = performance.now();
    await tracer.close();
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('a tracer that exports nothing', () => {
  it('gives ids all the same, and passes them on to whoever is called', async () => {
    const tracer = await createTracer({ ...options, otlpEndpoint: null });
    const headers: (string | undefined)[] = [];
    const http = traceHttpClient(
      {
        send: async (request) => {
          headers.push(request.headers?.traceparent);
          return { status: 200, headers: {}, body: '' };
        },
        close: async () => undefined,
      },
      tracer,
    );
    const call = { url: 'https://rpc.example/v3/KEY', signal: new AbortController().signal, timeoutMs: 1, maxBytes: 1 };
    const span = tracer.serve({ name: 'request', kind: 'server' }, undefined);
    await runInTrace(span.context, () => http.send(call));
    expect(headers).toEqual([`00-${span.context.traceId}-${span.context.spanId}-00`]);
    expect(await tracer.follow({ name: 'job', kind: 'job' }, async () => currentTrace()?.traceId)).toMatch(/^[0-9a-f]{32}$/);
    await tracer.close();
  });
});
