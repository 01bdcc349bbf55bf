type SamplerOptions = {
  readonly sample: () => Promise<void>;
  readonly intervalMs: number;
  /** Hears of each time that it went wrong. */
  readonly onError: (error: unknown) => void;
};

/** Does something small again and again, with a pause after each time, until it is stopped. */
export type Sampler = { start(): void; stop(): Promise<void> };

export function createSampler({ sample, intervalMs, onError }: SamplerOptions): Sampler {
  let timer: NodeJS.Timeout | undefined;
  let current: Promise<void> = Promise.resolve();
  let isStopped = false;
  const run = async (): Promise<void> => {
    await sample().catch(onError);
    if (!isStopped) timer = setTimeout(start, intervalMs).unref();
  };
  const start = (): void => {
    current = run();
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
