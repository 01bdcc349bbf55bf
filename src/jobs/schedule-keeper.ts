import { createRounds, type Rounds } from '../lib/rounds.ts';
import type { JobQueue, Schedule } from './job-queue.ts';

type ScheduleKeeperOptions = {
  readonly queue: Pick<JobQueue, 'keepSchedule'>;
  readonly schedules: readonly Schedule[];
  readonly log: { warn(details: object, message: string): void };
};

const INTERVAL_MS = 30_000;

/** Makes the schedules and makes them again twice a minute: a store that lost them says nothing. Any number of processes may do so at once. */
export function createScheduleKeeper({ queue, schedules, log }: ScheduleKeeperOptions): Rounds {
  return createRounds({
    async run() {
      for (const schedule of schedules) await queue.keepSchedule(schedule);
    },
    intervalMs: INTERVAL_MS,
    onError: (error) => log.warn({ err: error }, 'schedules could not be kept'),
  });
}
