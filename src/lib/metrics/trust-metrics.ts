import { Counter, Gauge, type Registry } from 'prom-client';

/** When the oldest figures in use were observed. */
export type DataTimes = {
  /** By chain slug: the oldest good reading of a source that wallets follow; null for sources never read. */
  readonly chains: ReadonlyMap<string, Date>;
  /** The oldest price of a held asset; null when nothing is held or priced. */
  readonly prices: Date | null;
};

export type TrustMetrics = {
  /** An answer left the service that says of itself that it is not complete. */
  readonly onPartialAnswer: (reasons: readonly string[]) => void;
  /** The ages are counted on from here until the next call, whether or not the database can be asked again. */
  readonly setDataTimes: (times: DataTimes) => void;
  readonly setReadiness: (state: {
    readonly isReady: boolean;
    readonly isDatabaseUp: boolean;
    readonly isDraining: boolean;
  }) => void;
};

/** How far the answers can be trusted: what no user should have to find out alone. */
export function createTrustMetrics(registry: Registry): TrustMetrics {
  const registers = [registry];
  let times: DataTimes = { chains: new Map(), prices: null };
  const partial = new Counter({
    name: 'portfolio_partial_responses_total',
    help: 'Answers made that are not complete, by reason; one answer can have several.',
    labelNames: ['reason'],
    registers,
  });
  new Gauge({
    name: 'portfolio_data_age_seconds',
    help: 'Age of the oldest balances in use.',
    labelNames: ['chain'],
    registers,
    collect() {
      this.reset();
      for (const [chain, time] of times.chains) this.set({ chain }, ageSeconds(time));
    },
  });
  new Gauge({
    name: 'price_age_seconds',
    help: 'Age of the oldest price in use, by the clock of its source.',
    registers,
    collect() {
      if (times.prices === null) this.remove();
      else this.set(ageSeconds(times.prices));
    },
  });
  const ready = new Gauge({ name: 'service_ready', help: '1 while requests should be sent here.', registers });
  const database = new Gauge({ name: 'database_up', help: '1 while the database answers.', registers });
  const draining = new Gauge({ name: 'service_draining', help: '1 from the signal to stop on.', registers });
  return {
    onPartialAnswer(reasons) {
      for (const reason of reasons) partial.inc({ reason });
    },
    setDataTimes(next) {
      times = next;
    },
    setReadiness({ isReady, isDatabaseUp, isDraining }) {
      ready.set(isReady ? 1 : 0);
      database.set(isDatabaseUp ? 1 : 0);
      draining.set(isDraining ? 1 : 0);
    },
  };
}

function ageSeconds(time: Date): number {
  return Math.max(0, (Date.now() - time.getTime()) / 1000);
}
