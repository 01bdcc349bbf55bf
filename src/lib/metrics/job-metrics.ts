import { Gauge, Histogram, type Registry } from 'prom-client';

type QueueGauges = {
  readonly waiting: number;
  readonly active: number;
  readonly delayed: number;
  readonly deadLetters: number;
  /** Age of the job that waits the longest; null when none waits. */
  readonly oldestAgeSeconds: number | null;
};

type ChainBacklog = {
  readonly chain: string;
  readonly due: number;
  readonly oldestDueSeconds: number;
  readonly claimed: number;
};

export type JobMetrics = {
  /** One run of a job; `job` is one of our names. */
  readonly onJob: (run: { readonly job: string; readonly isGood: boolean; readonly seconds: number }) => void;
  /** How far the schedule of each chain is behind. */
  readonly setBacklogs: (backlogs: readonly ChainBacklog[]) => void;
  readonly setQueue: (queue: string, gauges: QueueGauges) => void;
};

const BUCKETS_SECONDS = [0.05, 0.25, 1, 5, 15, 60, 300];

/** Scheduled work: what ran, what waits and what was given up. */
export function createJobMetrics(registry: Registry): JobMetrics {
  const registers = [registry];
  const duration = new Histogram({
    name: 'job_duration_seconds',
    help: 'Time of one run of a job.',
    labelNames: ['job', 'outcome'],
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const lastSuccess = new Gauge({
    name: 'job_last_success_timestamp_seconds',
    help: 'When a job last ended well in this process.',
    labelNames: ['job'],
    registers,
  });
  const depth = new Gauge({
    name: 'job_queue_depth',
    help: 'Jobs in the queue by state.',
    labelNames: ['queue', 'state'],
    registers,
  });
  const oldest = new Gauge({
    name: 'job_queue_oldest_age_seconds',
    help: 'Age of the job that waits the longest, 0 when none waits.',
    labelNames: ['queue'],
    registers,
  });
  const dead = new Gauge({
    name: 'job_dead_letters',
    help: 'Jobs given up that wait for an operator.',
    labelNames: ['queue'],
    registers,
  });
  const wallets = new Gauge({
    name: 'schedule_wallets',
    help: 'Wallets whose read is due and that nobody has taken on, and those that somebody reads.',
    labelNames: ['chain', 'state'],
    registers,
  });
  const overdue = new Gauge({
    name: 'schedule_oldest_due_seconds',
    help: 'How long the first due wallet has waited for its read, 0 when none waits.',
    labelNames: ['chain'],
    registers,
  });
  return {
    setBacklogs(backlogs) {
      for (const { chain, due, oldestDueSeconds, claimed } of backlogs) {
        wallets.set({ chain, state: 'due' }, due);
        wallets.set({ chain, state: 'claimed' }, claimed);
        overdue.set({ chain }, oldestDueSeconds);
      }
    },
    onJob({ job, isGood, seconds }) {
      duration.observe({ job, outcome: isGood ? 'ok' : 'error' }, seconds);
      if (isGood) lastSuccess.set({ job }, Date.now() / 1000);
    },
    setQueue(queue, { waiting, active, delayed, deadLetters, oldestAgeSeconds }) {
      for (const [state, count] of Object.entries({ waiting, active, delayed })) depth.set({ queue, state }, count);
      oldest.set({ queue }, oldestAgeSeconds ?? 0);
      dead.set({ queue }, deadLetters);
    },
  };
}
