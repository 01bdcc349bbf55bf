import { AppError } from './errors.ts';

/** The versions that a change is meant for; null: whichever there is. */
export type IfVersion = readonly number[] | null;

/** Whether a change may go on. */
export function isMeantFor(version: number, ifVersion: IfVersion): boolean {
  return ifVersion === null || ifVersion.includes(version);
}

/** Throws precondition_failed unless the change may go on. */
export function requireVersion(version: number, ifVersion: IfVersion): void {
  if (!isMeantFor(version, ifVersion)) {
    throw new AppError(
      'precondition_failed',
      'Somebody else has changed it since you read it. Read it again, and change what you see.',
    );
  }
}
