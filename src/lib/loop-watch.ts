type LoopWatch = { start(): void; stop(): void };

const BEAT_MS = 500;
const MAX_LATE_MS = 1_000;

/**
 * Tells when nothing could be done for more than a second, so that the log explains what clients and probes met meanwhile. While it lasts, only others can tell: nothing answers
 * at `/health/live`.
 */
export function createLoopWatch(onStandstill: (ms: number) => void): LoopWatch {
  let timer: NodeJS.Timeout | undefined;
  return {
    start() {
      let last = performance.now();
      timer = setInterval(() => {
        const now = performance.now();
        const lateMs = now - last - BEAT_MS;
        last = now;
        if (lateMs > MAX_LATE_MS) onStandstill(Math.round(lateMs));
      }, BEAT_MS).unref();
    },
    stop: () => clearInterval(timer),
  };
}
