import { within } from './within.ts';

/** One thing to stop. */
export type ShutdownStep = { readonly name: string; readonly run: () => Promise<void>; readonly timeoutMs: number };

type Log = { info(details: object, message: string): void; error(details: object, message: string): void };

/**
 * Stops things one after the other. A step that fails or takes too long is logged and left behind, so that it keeps none after it from
 * stopping.
 * @returns whether every step ended well.
 */
export async function runShutdown(steps: readonly ShutdownStep[], log: Log): Promise<boolean> {
  let isClean = true;
  for (const { name, run, timeoutMs } of steps) {
    const startedAt = performance.now();
    try {
      await within(run(), { timeoutMs, tooLate: () => new Error(`not stopped after ${timeoutMs} ms`) });
      log.info({ part: name, ms: Math.round(performance.now() - startedAt) }, 'stopped');
    } catch (error) {
      isClean = false;
      log.error({ part: name, err: error }, 'did not stop');
    }
  }
  return isClean;
}
