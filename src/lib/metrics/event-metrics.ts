import { Counter, Gauge, type Registry } from 'prom-client';
import type { StreamEnd } from '../event-stream.ts';

export type EventMetrics = {
  /** A stream was opened, or is closed. */
  readonly onStream: (change: 1 | -1) => void;
  readonly onStreamEnd: (end: StreamEnd) => void;
  /** Something was told to one reader. */
  readonly onMessage: (kind: 'snapshot' | 'event' | 'portfolio') => void;
};

/** Live updates. */
export function createEventMetrics(registry: Registry): EventMetrics {
  const registers = [registry];
  const open = new Gauge({ name: 'event_streams_open', help: 'Readers of live updates.', registers });
  const ended = new Counter({
    name: 'event_streams_ended_total',
    help: 'Streams that are over, by why: gone (the reader left), slow (cut off), refused (the key is no good any more), ended (sent away).',
    labelNames: ['end'],
    registers,
  });
  const sent = new Counter({
    name: 'event_messages_sent_total',
    help: 'What readers of live updates were told, each reader counted.',
    labelNames: ['kind'],
    registers,
  });
  return {
    onStream: (change) => open.inc(change),
    onStreamEnd: (end) => ended.inc({ end }),
    onMessage: (kind) => sent.inc({ kind }),
  };
}
