import { composeWorker } from './compose/compose-worker.ts';
import { runProcess } from './run-process.ts';

/** The worker process: does what is due, and serves nothing but its health. */
await runProcess(composeWorker);
