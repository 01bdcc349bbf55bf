import type { JobQueue, Schedule } from './job-queue.ts';

export type ScheduleKeeper = { start(): void; stop(): Promise<void> };

type ScheduleKeeperOptions = {
  readonly queue: Pick<JobQueue, 'keepSchedule'>;
  readonly schedules: readonly Schedule[];
  readonly log: { warn(details: object, message: string): void };
  /** 30 seconds unless told. */
  readonly everyMs?: number;
};

const EVERY_MS = 30_000;

/** Makes the schedules and makes them again twice a minute: a store that lost them says nothing. Any number of processes may do so at once. */
export function createScheduleKeeper({ queue, schedules, log, everyMs = EVERY_MS }: ScheduleKeeperOptions): ScheduleKeeper {
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  let isStopped = false;
  const keepAll = async (): Promise<void> => {
    try {
      for (const schedule of schedules) await queue.keepSchedule(schedule);
    } catch (error) {
      log.warn({ err: error }, 'schedules could not be kept');
    }
    if (!isStopped) timer = setTimeout(start, everyMs).unref();
  };
  const start = (): void => {
    round = keepAll();
  };
  return {
    start,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await round;
    },
  };
}
