import { toEventFrame } from '../lib/event-stream.ts';
import type { EventWire, SnapshotEventWire } from './schemas/events.ts';

const snapshot: SnapshotEventWire = {
  version: '1795255200000412.1795255200000077',
  currency: 'USD',
  generated_at: '2026-11-21T12:00:00.000Z',
  as_of: '2026-11-21T11:59:48.000Z',
  total_usd_value: '12840.55',
  complete: true,
  incomplete_reasons: [],
  unpriced_count: 0,
  stale_value_share: '0',
  source_counts: { ok: 3, stale: 0, failed: 0, never: 0, unsupported: 0 },
  sources: [],
};

const event: EventWire = {
  id: '0198b2c4-7d10-7a52-9c1e-3f6a2b8d4e90',
  seq: '1795255200000013',
  type: 'snapshot.taken',
  occurred_at: '2026-11-21T12:00:02.000Z',
  data: { at: '2026-11-21T12:00:02.000Z', grade: 'full', missing_count: 0 },
};

/** The beginning of a stream. */
export const eventStreamExample = [
  'retry: 1700\n\n',
  toEventFrame({ id: '1795255200000012', event: 'snapshot', data: snapshot }).toString(),
  toEventFrame({ id: event.seq, event: event.type, data: event }).toString(),
].join('');
