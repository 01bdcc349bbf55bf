import { setTimeout as sleep } from 'node:timers/promises';
import { UnrecoverableError } from 'bullmq';
import type { AlertEvaluation } from '../services/alerts/alert-evaluation.ts';
import type { EventUpkeep } from '../services/events/event-upkeep.ts';
import type { SnapshotService } from '../services/history/snapshot-service.ts';
import type { TransferImportService } from '../services/ledger/transfer-import-service.ts';
import type { BackfillService } from '../services/past/backfill-service.ts';
import type { HealingService } from '../services/past/healing-service.ts';
import type { RefreshService } from '../services/refresh-service.ts';
import type { IdempotencyService } from '../services/requests/idempotency-service.ts';
import type { ScheduleService } from '../services/schedule-service.ts';
import type { DeliveryService } from '../services/webhooks/delivery-service.ts';
import { createJobQueue, type JobQueue, type Schedule } from './job-queue.ts';
import { createJobWorker, type FollowJob, type JobHandler, type OnJob } from './job-worker.ts';
import { BATCH_JOB, parseBatchPayload, parseTickPayload } from './payloads.ts';
import type { QueueBackend } from './queue-backend.ts';
import { createScheduleKeeper } from './schedule-keeper.ts';

/** Everything that happens by itself, in one process of any number. */
export type Jobs = {
  start(): void;
  /** Hands back what is in hand. Ends within fifteen seconds, whatever does not answer. */
  stop(): Promise<void>;
  readonly queue: JobQueue;
};

type JobsDeps = {
  readonly backend: QueueBackend;
  readonly schedules: ScheduleService;
  readonly refreshes: Pick<RefreshService, 'resumeLost'>;
  readonly healing: HealingService;
  readonly backfills: Pick<BackfillService, 'resume'>;
  readonly transfers: Pick<TransferImportService, 'run'>;
  readonly snapshots: Pick<SnapshotService, 'takeDue' | 'thin'>;
  readonly events: EventUpkeep;
  readonly idempotency: Pick<IdempotencyService, 'forgetOld'>;
  readonly deliveries: Pick<DeliveryService, 'deliver' | 'deleteOld'>;
  readonly alertEvaluation: AlertEvaluation;
  /** What is due how often: see `planSchedules`. */
  readonly plan: readonly Schedule[];
  /** Batches that this process may read at once. */
  readonly batchesAtOnce: number;
  readonly onJob: OnJob;
  readonly follow?: FollowJob;
  readonly log: Log;
};

const CLOSE_TIMEOUT_MS = 2_000;

type Log = { warn(details: object, message: string): void };

/** How often work is due that is not due equally often everywhere. */
type Intervals = { readonly transferSeconds: number };

/** Each kind of regular work, by how often it is due. */
export function planSchedules({ transferSeconds }: Intervals): readonly Schedule[] {
  return [
    { name: 'dispatch', everySeconds: 5 },
    { name: 'prices', everySeconds: 60 },
    { name: 'sweep', everySeconds: 15 },
    { name: 'heal', everySeconds: 60 },
    { name: 'transfers', everySeconds: transferSeconds },
    { name: 'snapshots', everySeconds: 5 },
    { name: 'deliver', everySeconds: 5 },
    { name: 'alerts', everySeconds: 5 },
    { name: 'watch', everySeconds: 60 },
    { name: 'thin', everySeconds: 3600 },
  ];
}
export const SCHEDULE_NAMES: ReadonlySet<string> = new Set(planSchedules({ transferSeconds: 1 }).map(({ name }) => name));

export function createJobs(deps: JobsDeps): Jobs {
  const { backend, schedules, plan, batchesAtOnce, log } = deps;
  const queue = createJobQueue(backend);
  const dispatch = async (): Promise<void> => {
    await schedules.dispatch(queue.addBatches);
  };
  const handlers = createHandlers(deps, dispatch);
  // Schedules go first whenever a place is free.
  const worker = createJobWorker({ ...deps, handlers, concurrency: batchesAtOnce + plan.length });
  const keeper = createScheduleKeeper({ queue, schedules: plan, log });
  return {
    queue,
    start() {
      worker.start();
      keeper.start();
    },
    async stop() {
      await Promise.all([keeper.stop(), worker.stop()]);
      // A database that stands still keeps its connections open for ever.
      await Promise.race([backend.close(), sleep(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    },
  };
}

/** What is done for each kind of job. */
function createHandlers(deps: JobsDeps, dispatch: () => Promise<void>): ReadonlyMap<string, JobHandler> {
  const {
    schedules,
    refreshes,
    healing,
    backfills,
    transfers,
    snapshots,
    events,
    idempotency,
    deliveries,
    alertEvaluation,
    log,
  } = deps;
  return new Map<string, JobHandler>([
    ['dispatch', onTick(dispatch)],
    ['prices', onTick((signal) => schedules.refreshPrices(signal))],
    ['transfers', onTick((signal) => transfers.run(signal))],
    ['sweep', onTick(async () => void (await Promise.all([refreshes.resumeLost(), backfills.resume(), schedules.adopt()])))],
    ['heal', onTick(async (signal) => void (await healing.heal(signal)))],
    ['watch', onTick((signal) => events.watchSources(signal))],
    ['deliver', onTick(() => deliveries.deliver())],
    ['alerts', onTick((signal) => alertEvaluation.evaluateDue(signal))],
    ['snapshots', onTick(async (signal) => void (await snapshots.takeDue(signal)))],
    [
      'thin',
      onTick(
        async (signal) =>
          void (await Promise.all([
            snapshots.thin(signal),
            deliveries.deleteOld(),
            idempotency.forgetOld(signal),
            events.removeOld(signal),
          ])),
      ),
    ],
    [
      BATCH_JOB,
      async (data, signal) => {
        await schedules.readBatch(parse(parseBatchPayload, data), signal);
        // There is room for the next one now.
        if (!signal.aborted) dispatch().catch((error: unknown) => log.warn({ err: error }, 'due wallets could not be claimed'));
      },
    ],
  ]);
}

function onTick(run: (signal: AbortSignal) => Promise<void>): JobHandler {
  return async (data, signal) => {
    parse(parseTickPayload, data);
    await run(signal);
  };
}

/** What is not of our making, or of another version, will be no better the next time. */
function parse<T>(parser: (data: unknown) => T | undefined, data: unknown): T {
  const parsed = parser(data);
  if (parsed === undefined) throw new UnrecoverableError('the data of the job cannot be read');
  return parsed;
}
