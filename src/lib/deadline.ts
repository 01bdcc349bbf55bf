/** A signal that fires with another one or when the time is up, whichever is first. */
export type Deadline = {
  readonly signal: AbortSignal;
  /** Whether it was the clock that fired. */
  readonly isPast: boolean;
  /** Lets go of the clock and of the other signal. To be called once the work has ended, however it did. */
  end(): void;
};

/** Starts the clock. Ended by hand, since `AbortSignal.any` over a timeout is kept in memory until its time is up. */
export function startDeadline(signal: AbortSignal, timeoutMs: number): Deadline {
  const controller = new AbortController();
  let isPast = false;
  const follow = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => {
    isPast = true;
    controller.abort();
  }, timeoutMs);
  signal.addEventListener('abort', follow, { once: true });
  if (signal.aborted) follow();
  return {
    signal: controller.signal,
    get isPast() {
      return isPast;
    },
    end: () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', follow);
    },
  };
}
