import type { ServerResponse } from 'node:http';

/** What is written to one reader of server-sent events. */
export type EventSink = {
  /** Sends a frame; a reader for whom too much waits already is cut off instead. */
  write(frame: Uint8Array): void;
  /** Resolves when the reader has taken what was sent, or is gone. */
  untilTaken(): Promise<void>;
  /** Ends the stream; the reader is to come back after a moment. */
  end(): void;
};

/** Where frames come from. */
export type EventStream = {
  /** Begins to write. Called once at most. */
  start(sink: EventSink): void;
  /** What tells from time to time that the connection lives. */
  heartbeat(): Uint8Array;
  /** Called once, when the reader is gone or has been sent away. */
  close(): void;
};

/** Why a stream was over: the reader went, could not keep up, may not read any more, or was sent away. */
export type StreamEnd = 'gone' | 'slow' | 'refused' | 'ended';

type StreamOptions = {
  readonly stream: EventStream;
  /** Whether the reader may still read; asked every now and then. */
  readonly isAllowed: () => Promise<boolean>;
  /** Fires when the service begins to stop. */
  readonly stopSignal: AbortSignal;
  readonly onEnd: (end: StreamEnd) => void;
};

const HEARTBEAT_INTERVAL_MS = 15_000;
/** A reader that has taken nothing in so many heartbeats is gone, whatever its connection says. */
const MAX_STUCK_BEATS = 2;
/** What may wait for a reader beside what the kernel holds. */
const MAX_WAITING_BYTES = 256 * 1024;
/** With what was looked up for as long as three seconds, a key that is revoked is heeded within five. */
const CHECK_INTERVAL_MS = 1_500;
const FIRST_RETRY_MS = 1_000;
const RETRY_SPREAD_MS = 2_000;

export const EVENT_STREAM_TYPE = 'text/event-stream';

/** One event as it goes out. `id` null: one that is not counted. */
export function toEventFrame({ id, event, data }: { id: string | null; event: string; data: unknown }): Buffer {
  return Buffer.from(`${id === null ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

/** What keeps a connection open. With an id it also tells the reader how far it is, without an event. */
export function toHeartbeatFrame(id: string | null): Buffer {
  return Buffer.from(id === null ? ':\n\n' : `id: ${id}\n:\n\n`);
}

/**
 * Writes a stream to its reader until either ends. The connection is the stream's own and its end is that of the answer, so that each frame goes out as it is. Readers
 * come back at moments of their own, so that those who are sent away together do not arrive together.
 */
export function openEventStream(response: ServerResponse, { stream, isAllowed, stopSignal, onEnd }: StreamOptions): void {
  const taken = createTaken(response);
  let stuckBeats = 0;
  let ending: StreamEnd = 'gone';
  const end = (why: StreamEnd): void => {
    if (response.writableEnded) return;
    ending = why;
    response.end(retryFrame());
  };
  const cutOff = (): void => {
    ending = 'slow';
    response.destroy();
  };
  const write = (frame: Uint8Array): void => {
    if (response.destroyed || response.writableEnded) return;
    // What is written in one turn of the event loop is held back until its end, however fast the reader is.
    if (response.writableLength > MAX_WAITING_BYTES) response.socket?.uncork();
    if (response.writableLength <= MAX_WAITING_BYTES) {
      response.write(frame);
      return;
    }
    cutOff();
  };
  const beat = (): void => {
    stuckBeats = response.writableLength === 0 ? 0 : stuckBeats + 1;
    if (stuckBeats <= MAX_STUCK_BEATS) write(stream.heartbeat());
    else cutOff();
  };
  const check = (): void => {
    isAllowed().then((is) => {
      if (!is) end('refused');
    });
  };
  const stop = (): void => end('ended');
  const timers = [setInterval(beat, HEARTBEAT_INTERVAL_MS), setInterval(check, CHECK_INTERVAL_MS)];
  for (const timer of timers) timer.unref();
  stopSignal.addEventListener('abort', stop, { once: true });
  response.once('close', () => {
    for (const timer of timers) clearInterval(timer);
    stopSignal.removeEventListener('abort', stop);
    stream.close();
    taken.release();
    onEnd(ending);
  });

  response.useChunkedEncodingByDefault = false;
  const head = ['Content-Type', EVENT_STREAM_TYPE, 'Cache-Control', 'no-store', 'X-Accel-Buffering', 'no', 'Connection', 'close'];
  response.writeHead(200, head).write(retryFrame());
  if (stopSignal.aborted) stop();
  else stream.start({ write, untilTaken: taken.wait, end: stop });
}

function retryFrame(): string {
  return `retry: ${Math.round(FIRST_RETRY_MS + Math.random() * RETRY_SPREAD_MS)}\n\n`;
}

/** Waits for a reader that lags behind. */
function createTaken(response: ServerResponse): { wait(): Promise<void>; release(): void } {
  const waiting = new Set<() => void>();
  const release = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  response.on('drain', release);
  return {
    release,
    wait: () =>
      response.writableNeedDrain && !response.destroyed ? new Promise((resolve) => void waiting.add(resolve)) : Promise.resolve(),
  };
}
