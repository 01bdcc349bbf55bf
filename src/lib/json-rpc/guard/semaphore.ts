import { AppError } from '../../../domain/errors.ts';

/** Lets so many in at a time, the others in the order they came. */
export type Semaphore = {
  /** Resolves with what gives the place back. @throws AppError `upstream_aborted` when the signal fires first. */
  acquire(signal: AbortSignal): Promise<() => void>;
};

export function createSemaphore(limit: number): Semaphore {
  let taken = 0;
  const queue = new Set<() => void>();
  const release = (): void => {
    const [next] = queue;
    if (next === undefined) taken -= 1;
    else next();
  };
  const givePlace = (): (() => void) => {
    let isHeld = true;
    return () => {
      if (isHeld) release();
      isHeld = false;
    };
  };
  return {
    acquire(signal) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(givenUp());
        if (taken < limit) {
          taken += 1;
          return resolve(givePlace());
        }
        const enter = (): void => {
          leave();
          resolve(givePlace());
        };
        const giveUp = (): void => {
          leave();
          reject(givenUp());
        };
        const leave = (): void => {
          queue.delete(enter);
          signal.removeEventListener('abort', giveUp);
        };
        queue.add(enter);
        signal.addEventListener('abort', giveUp, { once: true });
      });
    },
  };
}

function givenUp(): AppError {
  return new AppError('upstream_aborted', 'The call was given up.');
}
