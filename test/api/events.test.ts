import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, type Mock, onTestFinished, vi } from 'vitest';
import { eventSchema, portfolioEventSchema, snapshotEventSchema } from '../../src/api/schemas/events.ts';
import { createServer, type ServerDeps } from '../../src/api/server.ts';
import { type Scope, withHeldScopes } from '../../src/domain/access.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { AppError, type ErrorCode } from '../../src/domain/errors.ts';
import type { StoredEvent } from '../../src/domain/events/event.ts';
import { buildPortfolio } from '../../src/domain/portfolio-builder.ts';
import type { LiveOptions, LiveReader, LiveStream } from '../../src/services/events/live-service.ts';
import { buildSourceReport, NOW, USD } from '../support/builders.ts';
import { type EventClient, openEvents } from '../support/event-client.ts';
import { buildServerDeps, ownerOf } from '../support/stub-services.ts';
import { createTestApi } from '../support/test-api.ts';

const STALE = buildSourceReport({ status: 'stale' });
const totals = {
  seq: 41n,
  version: '7.9',
  portfolio: {
    ...buildPortfolio({
      holdings: [],
      sources: [buildSourceReport(), STALE],
      currency: 'USD',
      fx: USD,
      minValue: null,
      includeSpam: false,
      now: NOW,
    }),
    totalUsdValue: new Decimal('12.5'),
  },
};
const EVENT: StoredEvent = {
  id: '0198b2c4-7d10-7a52-9c1e-3f6a2b8d4e90',
  seq: 42n,
  type: 'wallet.removed',
  occurredAt: NOW,
  data: { wallet_id: 'w' },
};

type World = {
  readonly open: (query?: string, headers?: Readonly<Record<string, string>>) => Promise<EventClient>;
  readonly reader: () => LiveReader;
  readonly asked: readonly LiveOptions[];
  readonly close: Mock<() => void>;
};

/** The API over a stream that tells what a test tells it to. */
async function serve(overrides: Partial<ServerDeps> = {}): Promise<World> {
  const asked: LiveOptions[] = [];
  const close = vi.fn<() => void>();
  let reader: LiveReader | undefined;
  const stream: LiveStream = {
    start(its) {
      reader = its;
    },
    position: () => 42n,
    close,
  };
  const open = async (_tenantId: string, options: LiveOptions): Promise<LiveStream> => {
    asked.push(options);
    return stream;
  };
  const server = createHttpServer(createServer(buildServerDeps({ live: { open } }, overrides))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/events`;
  return {
    open: (query = '', headers = {}) => openEvents(url + query, { headers }),
    reader: () => reader ?? expect.fail('no stream was started'),
    asked,
    close,
  };
}

it('tells what its schemas say, under the headers of any answer', async () => {
  const { open, reader } = await serve();
  const client = await open();
  expect(client.headers['x-content-type-options']).toBe('nosniff');
  expect(client.headers['x-request-id']).toBeDefined();
  reader().send({ kind: 'snapshot', totals });
  reader().send({ kind: 'event', event: EVENT });
  reader().send({ kind: 'portfolio', totals });
  await client.until(({ type }) => type === 'portfolio');
  const [snapshot, event, portfolio] = client.events;
  expect(snapshot?.id).toBe('41');
  expect(snapshotEventSchema.strict().parse(snapshot?.data)).toMatchObject({
    version: '7.9',
    total_usd_value: '12.5',
    source_counts: { ok: 1, stale: 1, failed: 0, never: 0, unsupported: 0 },
    sources: [{ status: 'stale' }],
  });
  expect(event?.id).toBe('42');
  expect(event?.type).toBe('wallet.removed');
  expect(eventSchema.strict().parse(event?.data)).toEqual({
    id: EVENT.id,
    seq: '42',
    type: 'wallet.removed',
    occurred_at: NOW.toISOString(),
    data: { wallet_id: 'w' },
  });
  expect(portfolio?.id).toBeNull();
  expect(portfolioEventSchema.strict().parse(portfolio?.data)).toMatchObject({ version: '7.9', total_usd_value: '12.5' });
});

it('understands where to go on from, and what is asked for', async () => {
  const { open, asked } = await serve();
  await open();
  await open('?types=snapshot.taken,portfolio&types=wallet.added&last_event_id=7');
  await open('?last_event_id=7', { 'Last-Event-ID': '8' });
  await open('', { 'Last-Event-ID': 'what?' });
  expect(asked).toEqual([
    { after: null, types: null },
    { after: 7n, types: new Set(['snapshot.taken', 'portfolio', 'wallet.added']) },
    { after: 8n, types: null },
    { after: null, types: null },
  ]);
});

it('refuses what it does not know as any other route does', async () => {
  for (const query of ['types=wallet.lost', 'since=3', `last_event_id=${'1'.repeat(65)}`]) {
    const { status, body } = await createTestApi().call('GET', `/events?${query}`);
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  }
  const live = {
    open: async () => {
      throw new AppError('rate_limited', 'There are too many streams.', { retryAfterMs: 10_000 });
    },
  };
  const { status, headers } = await createTestApi({ live }).call('GET', '/events');
  expect([status, headers['retry-after']]).toEqual([429, '10']);
});

it('is for keys that may see values', async () => {
  const answers = await Promise.all(
    (['read:percent', 'write'] as const).map((scope) =>
      createTestApi({}, { authenticate: async () => ({ ...ownerOf('t'), scopes: withHeldScopes([scope]) }) }).call(
        'GET',
        '/events',
      ),
    ),
  );
  expect(answers.map(({ status }) => status)).toEqual([403, 403]);
});

it('answers a HEAD without beginning anything', async () => {
  const { close } = await serve();
  const live = {
    open: async (): Promise<LiveStream> => ({ start: () => expect.fail('started'), position: () => undefined, close }),
  };
  const server = createHttpServer(createServer(buildServerDeps({ live }))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1/events`;
  const { status, headers } = await fetch(url, { method: 'HEAD' });
  expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
  expect(close).toHaveBeenCalledOnce();
});

it('ends a stream whose key is taken back, or loses its scope, and no stream because nobody can tell', async () => {
  const withScope = (scope: Scope) => ({ ...ownerOf('t'), scopes: withHeldScopes([scope]) });
  const refuse = (code: ErrorCode) => vi.fn(async () => Promise.reject(new AppError(code, 'No.')));
  const unavailable = refuse('database_unavailable');
  const opened = await Promise.all(
    [
      refuse('unauthorized'),
      refuse('rate_limited'),
      async () => withScope('read:percent'),
      async () => ownerOf('another'),
      unavailable,
    ].map(async (over) => {
      let answer: ServerDeps['authenticate'] = async () => withScope('read:values');
      const { open, close } = await serve({ authenticate: (request) => answer(request) });
      const client = await open();
      answer = over;
      return { client, close };
    }),
  );
  const [staying, ...leaving] = opened.toReversed();
  await Promise.all(leaving.map(({ client }) => client.ended));
  for (const { close } of leaving) await expect.poll(() => close.mock.calls.length).toBe(1);
  await expect.poll(() => unavailable.mock.calls.length, { timeout: 20_000 }).toBeGreaterThan(0);
  expect(staying?.close).not.toHaveBeenCalled();
});
