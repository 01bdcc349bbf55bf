/** One Ctrl-C can arrive twice, from the terminal and from npm: what follows within this time is the same one. */
const SAME_SIGNAL_MS = 1_000;

/** Calls `stop` at the first SIGINT or SIGTERM. A later one ends the process at once. */
export function onStopSignal(stop: () => void): void {
  let firstAt: number | undefined;
  const handle = (): void => {
    if (firstAt === undefined) {
      firstAt = performance.now();
      stop();
    } else if (performance.now() - firstAt > SAME_SIGNAL_MS) {
      process.exit(1);
    }
  };
  process.on('SIGINT', handle);
  process.on('SIGTERM', handle);
}
