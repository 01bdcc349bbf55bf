import { Counter, Gauge, type Registry } from 'prom-client';

type Times = ReadonlyMap<string, Date>;

export type TrustMetrics = {
  /** An answer was made that says of itself that it is not complete. */
  readonly onPartialAnswer: (reasons: readonly string[]) => void;
  /** What was held was written down. */
  readonly onSnapshot: (grade: 'full' | 'partial') => void;
  readonly setSnapshotInterval: (seconds: number) => void;
  /**
   * The oldest last good reading of each chain, the newest snapshot of the tenant that has waited the longest for one, of any grade and of the full one, and the newest price of each source. Ages are counted on from here until the next call, whether or not the
   * database can be asked again.
   */
  readonly setDataTimes: (times: {
    readonly oldestReadings: Times;
    readonly newestQuotes: Times;
    readonly newestSnapshots: Times;
  }) => void;
  readonly setReadiness: (readiness: {
    readonly status: 'ready' | 'degraded' | 'unready';
    readonly isDraining: boolean;
    readonly isDatabaseUp: boolean;
  }) => void;
};

/** How far the answers can be trusted: what no user should have to find out alone. */
export function createTrustMetrics(registry: Registry): TrustMetrics {
  const registers = [registry];
  const partial = new Counter({
    name: 'portfolio_partial_responses_total',
    help: 'Answers made that are not complete, by reason; one answer can have several.',
    labelNames: ['reason'],
    registers,
  });
  const snapshots = new Counter({
    name: 'snapshots_taken_total',
    help: 'Times that what a tenant holds was written down: full, or partial when a source was missing.',
    labelNames: ['grade'],
    registers,
  });
  const interval = new Gauge({
    name: 'snapshot_interval_seconds',
    help: 'How often what is held is meant to be written down.',
    registers,
  });
  const ready = new Gauge({ name: 'service_ready', help: '1 while requests should be sent here.', registers });
  const database = new Gauge({ name: 'database_up', help: '1 while the database answers.', registers });
  const draining = new Gauge({ name: 'service_draining', help: '1 from the signal to stop on.', registers });
  return {
    onPartialAnswer(reasons) {
      for (const reason of reasons) partial.inc({ reason });
    },
    onSnapshot: (grade) => snapshots.inc({ grade }),
    setSnapshotInterval: (seconds) => interval.set(seconds),
    setDataTimes: createAgeGauges(registry),
    setReadiness({ status, isDraining, isDatabaseUp }) {
      ready.set(status === 'unready' ? 0 : 1);
      database.set(isDatabaseUp ? 1 : 0);
      draining.set(isDraining ? 1 : 0);
    },
  };
}

function createAgeGauges(registry: Registry): TrustMetrics['setDataTimes'] {
  let readings: Times = new Map();
  let quotes: Times = new Map();
  let snapshots: Times = new Map();
  new Gauge({
    name: 'portfolio_data_age_seconds',
    help: 'Age of the oldest balances of a chain.',
    labelNames: ['chain'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [chain, time] of readings) this.set({ chain }, ageSeconds(time));
    },
  });
  new Gauge({
    name: 'price_age_seconds',
    help: 'Age of the newest price of a source, by its own clock.',
    labelNames: ['source'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [source, time] of quotes) this.set({ source }, ageSeconds(time));
    },
  });
  new Gauge({
    name: 'snapshot_age_seconds',
    help: 'Age of the newest snapshot of the tenant that waits the longest, of any grade or full; below zero when it lies ahead of the clock.',
    labelNames: ['grade'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [grade, time] of snapshots) this.set({ grade }, (Date.now() - time.getTime()) / 1000);
    },
  });
  return ({ oldestReadings, newestQuotes, newestSnapshots }) => {
    readings = oldestReadings;
    quotes = newestQuotes;
    snapshots = newestSnapshots;
  };
}

function ageSeconds(time: Date): number {
  return Math.max(0, (Date.now() - time.getTime()) / 1000);
}
