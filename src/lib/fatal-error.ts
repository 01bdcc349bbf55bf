import { setTimeout as sleep } from 'node:timers/promises';

type FatalErrorOptions = {
  /** Tells of the fault, and that the process is given up. */
  readonly report: (error: unknown) => void;
  /** Ends what is in flight. */
  readonly stop: () => Promise<unknown>;
  readonly timeoutMs?: number;
};

const STOP_TIMEOUT_MS = 5_000;

/**
 * Ends the process with code 1 when an error reaches nobody: what is in memory after it cannot be trusted. What is in flight gets five seconds.
 * Rejections that nobody handles arrive here too.
 */
export function onFatalError({ report, stop, timeoutMs = STOP_TIMEOUT_MS }: FatalErrorOptions): void {
  let isEnding = false;
  process.on('uncaughtException', (error: unknown) => {
    report(error);
    if (isEnding) return;
    isEnding = true;
    const end = (): never => process.exit(1);
    Promise.race([stop(), sleep(timeoutMs)]).then(end, end);
  });
}
