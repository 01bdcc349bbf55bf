import { type DestinationStream, type LevelWithSilent, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { createRedactor } from './redactor.ts';

export type Logger = PinoLogger;

export type LoggerOptions = {
  readonly level: LevelWithSilent;
  /** Texts that no line may hold. */
  readonly secrets: readonly string[];
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
};

/**
 * A log of JSON lines. Secrets are taken out of the finished line: looking for them by the names of fields misses those in messages, stacks
 * and causes of errors.
 */
export function createLogger({ level, secrets, destination }: LoggerOptions): Logger {
  const { redactJson } = createRedactor(secrets);
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite: redactJson },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
