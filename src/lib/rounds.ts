type RoundsOptions = {
  readonly run: () => Promise<void>;
  /** The pause between the end of one round and the start of the next. */
  readonly intervalMs: number;
  /** Hears of each round that went wrong. */
  readonly onError: (error: unknown) => void;
};

/** Does the same again and again, with a pause after each time, until it is stopped. Its timer keeps no process alive. */
export type Rounds = {
  start(): void;
  /** Resolves when the round that is under way has ended. */
  stop(): Promise<void>;
};

export function createRounds({ run, intervalMs, onError }: RoundsOptions): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();
  let isStopped = false;
  const runOnce = async (): Promise<void> => {
    await run().catch(onError);
    if (!isStopped) timer = setTimeout(start, intervalMs).unref();
  };
  const start = (): void => {
    current = runOnce();
  };
  return {
    start,
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      await current;
    },
  };
}
