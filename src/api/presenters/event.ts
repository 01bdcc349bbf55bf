import type { StoredEvent } from '../../domain/events/event.ts';
import type { Portfolio, SourceReport } from '../../domain/portfolio.ts';
import { toEventFrame } from '../../lib/event-stream.ts';
import type { LiveMessage } from '../../services/events/live-service.ts';
import type { EventWire, PortfolioEventWire, SnapshotEventWire } from '../schemas/events.ts';
import { presentDecimal, presentMoment } from './figures.ts';
import { presentSource } from './portfolio.ts';

/** Those of a snapshot; whoever wants all asks for the portfolio. */
const MAX_SOURCES = 100;

/** An event as it goes over the wire. */
function presentEvent({ id, seq, type, occurredAt, data }: StoredEvent): EventWire {
  return { id, seq: seq.toString(), type, occurred_at: occurredAt.toISOString(), data };
}

/** What a portfolio comes to. */
function presentTotals(portfolio: Portfolio, version: string): PortfolioEventWire {
  return {
    version,
    currency: portfolio.currency,
    generated_at: portfolio.generatedAt.toISOString(),
    as_of: presentMoment(portfolio.asOf),
    total_usd_value: presentDecimal(portfolio.totalUsdValue),
    complete: portfolio.complete,
    incomplete_reasons: [...portfolio.incompleteReasons],
    unpriced_count: portfolio.unpricedCount,
    stale_value_share: presentDecimal(portfolio.staleValueShare),
  };
}

/** How things stand. */
function presentSnapshotEvent(portfolio: Portfolio, version: string): SnapshotEventWire {
  const { sources } = portfolio;
  return {
    ...presentTotals(portfolio, version),
    source_counts: countByStatus(sources),
    sources: sources
      .filter(({ status }) => status !== 'ok')
      .slice(0, MAX_SOURCES)
      .map(presentSource),
  };
}

function countByStatus(sources: readonly SourceReport[]): SnapshotEventWire['source_counts'] {
  const counts = { ok: 0, stale: 0, failed: 0, never: 0, unsupported: 0 };
  for (const { status } of sources) counts[status] += 1;
  return counts;
}

// The same for all who follow a tenant, so it is written once.
const frames = new WeakMap<object, Uint8Array>();

/** A message as all its readers get it. */
export function presentMessage(message: LiveMessage): Uint8Array {
  if (message.kind === 'event') return remember(message.event, () => frameOfEvent(message.event));
  const { portfolio, version, seq } = message.totals;
  if (message.kind === 'portfolio') {
    return remember(message.totals, () =>
      toEventFrame({ id: null, event: 'portfolio', data: presentTotals(portfolio, version) }),
    );
  }
  return remember(portfolio, () =>
    toEventFrame({ id: seq.toString(), event: 'snapshot', data: presentSnapshotEvent(portfolio, version) }),
  );
}

function frameOfEvent(event: StoredEvent): Uint8Array {
  return toEventFrame({ id: event.seq.toString(), event: event.type, data: presentEvent(event) });
}

function remember(key: object, write: () => Uint8Array): Uint8Array {
  const frame = frames.get(key) ?? write();
  frames.set(key, frame);
  return frame;
}
