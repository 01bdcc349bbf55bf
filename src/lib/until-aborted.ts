import { AppError } from '../domain/errors.ts';

/**
 * Waits for work that others share until the signal fires; the work itself goes on for them.
 * @throws AppError `upstream_aborted` when the signal fires first.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let giveUp = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    giveUp = () => reject(new AppError('upstream_aborted', 'The call was given up.'));
    signal.addEventListener('abort', giveUp, { once: true });
    if (signal.aborted) giveUp();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}
