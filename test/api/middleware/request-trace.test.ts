import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/lib/logger.ts';
import { createTracer } from '../../../src/lib/tracing.ts';
import { startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { buildWallet, WALLET_ID } from '../../support/stub-services.ts';
import { createTestApi } from '../../support/test-api.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';

function collectLog() {
  const lines: Record<string, unknown>[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(String(chunk)));
      done();
    },
  });
  return { lines, log: createLogger({ level: 'info', secrets: [], destination }) };
}

describe('the log of a request', () => {
  it('names the trace of the client on every line', async () => {
    const { lines, log } = collectLog();
    const get = async () => {
      log.info('inside');
      throw new Error('broken');
    };
    const api = createTestApi({ wallets: { get } }, { log });
    await api.call('GET', `/wallets/${WALLET_ID}`, { headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` } });
    expect(lines.map(({ msg, trace_id }) => [msg, trace_id])).toEqual([
      ['inside', TRACE],
      ['request failed', TRACE],
      ['request', TRACE],
    ]);
  });

  it.each([undefined, 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`])(
    'names a new trace for %s',
    async (traceparent) => {
      const { lines, log } = collectLog();
      const api = createTestApi({ wallets: { get: async () => buildWallet() } }, { log });
      const headers: Record<string, string> = traceparent === undefined ? {} : { traceparent };
      await api.call('GET', `/wallets/${WALLET_ID}`, { headers });
      await api.call('GET', `/wallets/${WALLET_ID}`, { headers });
      const [one, other] = lines.map(({ trace_id }) => trace_id);
      expect(one).toMatch(/^[0-9a-f]{32}$/);
      expect(one).not.toBe('0'.repeat(32));
      expect(other).not.toBe(one);
    },
  );
});

it('a span tells the route by its template, never what was sent', async () => {
  const receiver = await startOtlpReceiver();
  const tracer = await createTracer({
    otlpEndpoint: receiver.endpoint,
    serviceName: 'test',
    version: '1',
    log: { warn: () => undefined },
  });
  const api = createTestApi({ wallets: { get: async () => buildWallet() } }, { tracer });
  await api.call('GET', `/wallets/${WALLET_ID}?CANARY=1`, {
    headers: { Authorization: 'CANARY', traceparent: `00-${TRACE}-b7ad6b7169203331-00` },
  });
  await api.call('GET', '/CANARY');
  await tracer.close();
  await receiver.close();
  expect(receiver.spans()).toMatchObject([
    { name: 'GET /api/v1/wallets/{id}', kind: 2, traceId: TRACE, status: { code: 0 } },
    { name: 'GET unknown', kind: 2 },
  ]);
  expect(receiver.text()).not.toMatch(new RegExp(`CANARY|${WALLET_ID}`));
});
