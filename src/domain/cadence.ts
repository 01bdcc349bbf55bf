import type { Decimal } from './decimal.ts';

/** How often one wallet is read on one chain. */
export type Cadence = {
  readonly intervalSeconds: number;
  /** Reads in a row in which no amount had changed. */
  readonly idleStreak: number;
};

/** What one read of a wallet said, as far as its next one depends on it. */
export type ReadFacts = {
  readonly outcome: 'ok' | 'failed';
  /** Whether any amount differs from the read before. */
  readonly hasChanged: boolean;
  readonly isEmpty: boolean;
  /** What the wallet holds of listed assets on this chain; null when no price of them is known. */
  readonly valueUsd: Decimal | null;
};

/** A quarter of the base while amounts move, and for one read more; half for two more. */
const BUSY_DIVISOR = 4;
const CALMING_DIVISOR = 2;
const BUSY_READS = 2;
const CALMING_READS = 4;
/** A wallet that never moves but is worth so much is read twice as often as others. */
const LARGE_VALUE_USD = 10_000;
/** An empty wallet goes to twice the base after four idle reads, to four times after eight. */
const EMPTY_READS = 4;
const LONG_EMPTY_READS = 8;
/** No wallet waits longer than four times the base, whatever fails. */
const MAX_FACTOR = 4;
const MIN_INTERVAL_SECONDS = 10;
const MISSED_READS = 3;
const JITTER = 0.1;

/** When to read a wallet again: sooner while it moves or when it is worth much, later while it is empty or cannot be read. */
export function nextCadence(baseSeconds: number, last: Cadence, facts: ReadFacts): Cadence {
  if (facts.outcome === 'failed') return { intervalSeconds: afterFailure(baseSeconds, last), idleStreak: last.idleStreak };
  const idleStreak = facts.hasChanged ? 0 : last.idleStreak + 1;
  return { intervalSeconds: Math.max(shortest(baseSeconds), Math.round(afterRead(baseSeconds, idleStreak, facts))), idleStreak };
}

/** When a wallet may be taken on again whose reader never came back: it may be what ended the reader. */
export function retrySeconds(baseSeconds: number): number {
  return baseSeconds * 2;
}

/** The interval within a tenth of it, so that wallets added together drift apart. `random` is from 0 to 1. */
export function withJitter(intervalSeconds: number, random: number): number {
  return intervalSeconds * (1 - JITTER + 2 * JITTER * random);
}

/** The age from which on a figure is stale: it missed three reads of its own schedule, or of the base where that is longer. */
export function staleAfterSeconds(baseSeconds: number, intervalSeconds: number | null): number {
  return Math.max(baseSeconds, intervalSeconds ?? 0) * MISSED_READS;
}

function afterRead(baseSeconds: number, idleStreak: number, { isEmpty, valueUsd }: ReadFacts): number {
  if (isEmpty && idleStreak >= LONG_EMPTY_READS) return baseSeconds * MAX_FACTOR;
  if (isEmpty && idleStreak >= EMPTY_READS) return baseSeconds * 2;
  if (isEmpty && idleStreak > 0) return baseSeconds;
  if (idleStreak < BUSY_READS) return baseSeconds / BUSY_DIVISOR;
  const isLarge = valueUsd?.gte(LARGE_VALUE_USD) ?? false;
  return idleStreak < CALMING_READS || isLarge ? baseSeconds / CALMING_DIVISOR : baseSeconds;
}

/** The base after the first failure, then twice as long each time. */
function afterFailure(baseSeconds: number, { intervalSeconds }: Cadence): number {
  return Math.min(Math.max(intervalSeconds * 2, baseSeconds), baseSeconds * MAX_FACTOR);
}

function shortest(baseSeconds: number): number {
  return Math.min(MIN_INTERVAL_SECONDS, baseSeconds);
}
