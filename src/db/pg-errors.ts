import { AppError } from '../domain/errors.ts';

/** SQLSTATEs, by their class or whole, that say the database cannot serve now, whatever the query. */
const UNAVAILABLE_CLASSES = new Set([
  '08', // connection
  '28', // refused login
  '3D', // no such database
  '53', // out of disk, memory or connections
  '57', // stopped by an operator or a time limit
  '58', // trouble with its files
]);
const UNAVAILABLE_STATES = new Set([
  '25006', // a standby, which cannot write
  '25P03', // idle in a transaction for too long
  '55P03', // a lock not to be had in time
]);
/** Faults of the moment that a whole new transaction does not meet again: serialization failure and deadlock. */
const TRANSIENT_STATES = new Set(['40001', '40P01']);
const UNSTORABLE_STATES = new Set(['22021', '22P05']);
const FOREIGN_KEY_VIOLATION = '23503';

const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);
/** Errors that pg raises itself carry no code. */
const CLIENT_MESSAGES = /timeout|connection terminated|not queryable|was closed|after calling end|server does not support SSL/i;

/** What a failed connection or query becomes: an AppError where the code says something that a caller can use, else the error itself. */
export function toDatabaseError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof AppError) return error;
  if (isUnavailable(error)) return new AppError('database_unavailable', 'The database cannot be reached now.', { cause: error });
  if (UNSTORABLE_STATES.has(readCode(error))) {
    return new AppError('invalid_request', 'A text holds a character that cannot be stored.', { cause: error });
  }
  // Services look before they write; whatever was there then has been removed since.
  if (readCode(error) === FOREIGN_KEY_VIOLATION) {
    return new AppError('conflict', 'What this belongs to was removed in the meantime.', { cause: error });
  }
  return error;
}

/** Whether a new try of the whole transaction makes sense at once. */
export function isTransient(error: unknown): boolean {
  return error instanceof Error && TRANSIENT_STATES.has(readCode(error));
}

/** Whether another row has the same unique key. */
export function isUniqueViolation(error: unknown): boolean {
  return error instanceof Error && readCode(error) === '23505';
}

/** Whether the connection may still be waiting for an answer, so that nothing else can be sent over it. */
export function leavesConnectionBroken(error: unknown): boolean {
  return error instanceof Error && !isSqlState(readCode(error));
}

function isUnavailable(error: Error): boolean {
  const code = readCode(error);
  if (isSqlState(code)) return UNAVAILABLE_STATES.has(code) || UNAVAILABLE_CLASSES.has(code.slice(0, 2));
  return SOCKET_CODES.has(code) || (code === '' && CLIENT_MESSAGES.test(error.message));
}

function isSqlState(code: string): boolean {
  return /^[0-9A-Z]{5}$/.test(code) && code !== 'EPIPE';
}

function readCode(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
