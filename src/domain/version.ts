import { AppError } from './errors.ts';

/** The versions that a change is meant for; null: whichever there is. */
export type IfVersion = readonly number[] | null;

/** Throws precondition_failed unless a change that is meant for these versions may go on. */
export function requireVersion(version: number, ifVersion: IfVersion): void {
  if (ifVersion === null || ifVersion.includes(version)) return;
  throw new AppError(
    'precondition_failed',
    'Somebody else has changed it since you read it. Read it again, and change what you see.',
  );
}
