import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type EventSink, openEventStream, type StreamEnd, toEventFrame, toHeartbeatFrame } from '../../src/lib/event-stream.ts';
import { openEvents } from '../support/event-client.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };

type Opened = {
  readonly url: string;
  readonly port: number;
  readonly sink: () => EventSink;
  readonly ends: readonly StreamEnd[];
  readonly stop: () => void;
  readonly closed: () => number;
};

async function serve({ isAllowed = async () => true }: { isAllowed?: () => Promise<boolean> } = {}): Promise<Opened> {
  const stopping = new AbortController();
  const ends: StreamEnd[] = [];
  let sink: EventSink | undefined;
  let closed = 0;
  const server = createServer((_request, response) =>
    openEventStream(response, {
      stream: {
        start(its) {
          sink = its;
        },
        heartbeat: () => toHeartbeatFrame(null),
        close() {
          closed += 1;
        },
      },
      isAllowed,
      stopSignal: stopping.signal,
      onEnd: (end) => void ends.push(end),
    }),
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    sink: () => sink ?? expect.fail('no stream was started'),
    ends,
    stop: () => stopping.abort(),
    closed: () => closed,
  };
}

const frame = (number: number, text = '') => toEventFrame({ id: String(number), event: 'test', data: { number, text } });

describe('a stream', () => {
  it('tells events as they come, whatever is in them', async () => {
    const { url, sink } = await serve();
    const client = await openEvents(url);
    expect(client.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      connection: 'close',
    });
    const text = 'a\nb\r\n\n\ndata: c\n\nid: 9\u2028 “ü” 💰';
    sink().write(frame(1, text));
    const { id, data } = await client.until(({ type }) => type === 'test');
    expect({ id, data }).toEqual({ id: '1', data: { number: 1, text } });
    sink().write(toHeartbeatFrame('7'));
    await expect.poll(() => client.lastId, PATIENCE).toBe('7');
    expect(client.events).toHaveLength(1);
    expect(client.comments).toBe(1);
  });

  it('ends for a reader that goes, and tells why it did once', async () => {
    const { url, ends, closed } = await serve();
    const client = await openEvents(url);
    client.close();
    await expect.poll(closed, PATIENCE).toBe(1);
    expect(ends).toEqual(['gone']);
  });

  it('cuts off a reader who does not keep up, and keeps little for it', async () => {
    const { url, port, sink, ends, closed } = await serve();
    const slow = connect(port, '127.0.0.1');
    slow.on('error', () => undefined);
    slow.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(slow, 'data');
    slow.pause();
    const slowSink = sink();
    const client = await openEvents(url);
    const padding = 'x'.repeat(100_000);
    const before = process.memoryUsage().external;
    for (let number = 1; closed() === 0 && number < 1_000; number++) {
      slowSink.write(frame(number, padding));
      await new Promise(setImmediate);
    }
    expect(ends).toEqual(['slow']);
    expect(process.memoryUsage().external - before).toBeLessThan(50_000_000);
    sink().write(frame(1));
    await client.until(({ type }) => type === 'test');
  });

  it('keeps a reader to whom much is told in one moment', async () => {
    const { url, sink, ends } = await serve();
    const client = await openEvents(url);
    for (let number = 0; number < 12; number++) sink().write(frame(number, 'x'.repeat(50_000)));
    await client.until(({ data }) => data.number === 11);
    expect(client.events).toHaveLength(12);
    expect(ends).toEqual([]);
  });

  it('waits for a reader who asks for the past', async () => {
    const { url, sink } = await serve();
    const client = await openEvents(url);
    for (let number = 0; number < 100; number++) {
      sink().write(frame(number, 'x'.repeat(50_000)));
      await sink().untilTaken();
    }
    await client.until(({ data }) => data.number === 99);
    expect(client.events.map(({ data }) => data.number)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('sends its reader away for a while when the service stops, and whoever comes after that', async () => {
    const { url, ends, stop } = await serve();
    const client = await openEvents(url);
    stop();
    await client.ended;
    expect(client.text).toMatch(/^retry: \d+\n\nretry: \d+\n\n$/);
    const late = await openEvents(url);
    await late.ended;
    expect(late.status).toBe(200);
    expect(late.retryMs).toBeGreaterThanOrEqual(1_000);
    expect(ends).toEqual(['ended', 'ended']);
  });

  it('ends within seconds for one who may not read any more', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    let is = true;
    const { url, ends } = await serve({ isAllowed: async () => is });
    const client = await openEvents(url);
    await vi.advanceTimersByTimeAsync(16_000);
    expect(ends).toEqual([]);
    await expect.poll(() => client.comments, PATIENCE).toBe(1);
    is = false;
    await vi.advanceTimersByTimeAsync(1_500);
    await client.ended;
    expect(ends).toEqual(['refused']);
  });
});
