import { runOutsideTrace } from '../../tracing-context.ts';

/** Something that is to be looked at now and then. */
export type ProbeTarget = {
  /** Milliseconds until its next look; not positive: it is due. */
  dueInMs(): number;
  /** Never rejects. */
  probe(): Promise<void>;
};

export type Prober = {
  /** Looks at what is due from now on, until nothing needs it any more. */
  wake(): void;
  close(): void;
};

/** What is due this soon goes along, so that endpoints are compared at one moment. */
const SAME_ROUND = 0.3;

/** Looks at the targets in the background, as long as `isInUse`. Its timers keep no process alive. */
export function createProber({
  targets,
  isInUse,
  unitMs,
}: {
  readonly targets: readonly ProbeTarget[];
  readonly isInUse: () => boolean;
  /** The shortest usual wait of a target. */
  readonly unitMs: number;
}): Prober {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let isClosed = false;

  const schedule = (): void => {
    clearTimeout(timer);
    if (isClosed || targets.length === 0 || !isInUse()) return;
    const waitMs = Math.min(...targets.map((target) => target.dueInMs()));
    timer = runOutsideTrace(() => setTimeout(round, Math.max(waitMs, 1))).unref();
  };
  const round = async (): Promise<void> => {
    isRunning = true;
    try {
      await Promise.all(targets.filter((target) => target.dueInMs() <= unitMs * SAME_ROUND).map((target) => target.probe()));
    } finally {
      isRunning = false;
      schedule();
    }
  };
  return {
    wake() {
      if (!isRunning) schedule();
    },
    close() {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
