import type { Writable } from 'node:stream';

/** Takes lines for a stream that may be slow or stuck. */
export type LineWriter = {
  /** Takes a line unless too many of those before it are still waiting. Never blocks. Returns whether it was taken. */
  write(line: string): boolean;
  /** Hands over what waits, as far as the stream takes it at once. */
  flush(): void;
};

/** What may wait while nobody reads: about 5,000 lines. */
const MAX_WAITING_CHARACTERS = 1024 * 1024;
/** How long nothing is tried after a write that failed, because the reader is gone or the disk is full. */
const PAUSE_MS = 1_000;

/** Gathers the lines of one turn of the event loop into one write, and has one write under way at a time. */
export function createLineWriter(stream: Writable): LineWriter {
  let waiting = '';
  let isWriting = false;
  let pausedUntil = 0;
  // A log that cannot be written is no reason for a service to end.
  stream.on('error', () => {
    pausedUntil = performance.now() + PAUSE_MS;
  });
  const hand = (): void => {
    const text = waiting;
    waiting = '';
    stream.write(text, (error) => {
      if (error != null) pausedUntil = performance.now() + PAUSE_MS;
      if (waiting === '') isWriting = false;
      else hand();
    });
  };
  return {
    write(line) {
      if (waiting.length > MAX_WAITING_CHARACTERS || (pausedUntil > 0 && performance.now() < pausedUntil)) return false;
      waiting += line;
      if (!isWriting) {
        isWriting = true;
        setImmediate(hand);
      }
      return true;
    },
    flush() {
      if (waiting !== '') stream.write(waiting);
      waiting = '';
    },
  };
}
