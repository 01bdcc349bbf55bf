import type { SourceError } from '../domain/holding.ts';

export type HealthPart = {
  /** `database`, `chain:ethereum`, `prices:defillama`. */
  readonly name: string;
  readonly status: 'ok' | 'degraded' | 'down' | 'unknown';
  readonly checkedAt: Date | null;
  readonly error: SourceError | null;
  /** Newest block or slot seen, for chains. */
  readonly block: bigint | null;
};

/** `down` only when the database is; a chain or price source that fails makes it `degraded`. */
export type Health = {
  readonly status: 'ok' | 'degraded' | 'down';
  readonly version: string;
  readonly startedAt: Date;
  readonly parts: readonly HealthPart[];
};

/** Answers from what background probes found last, within the time of one database ping. */
export type HealthService = { getHealth(): Promise<Health>; start(): void; stop(): Promise<void> };
