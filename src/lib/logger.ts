import type { Writable } from 'node:stream';
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';

export type { Logger };

type LoggerOptions = {
  readonly level: string;
  /** Texts that no line may hold. */
  readonly secrets: readonly string[];
  /** Where lines go; standard output unless told. */
  readonly destination?: Writable;
};

/**
 * JSON lines with RFC 3339 times. Secrets are taken out of the finished line by their value, wherever in it they stand: pino's own redaction goes by
 * path and misses messages, stacks and causes.
 */
export function createLogger({ level, secrets, destination = process.stdout }: LoggerOptions): Logger {
  const redact = createRedactor(secrets);
  const stream: DestinationStream = {
    write(line) {
      destination.write(redact(line));
    },
  };
  return pino(
    { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
}

const REDACTED = '[redacted]';
/** Shorter ones would blank out half of every line. */
const MIN_SECRET_LENGTH = 6;

/** Replaces every secret, as it is and as it stands inside a JSON string or a URL. */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret)]);
  // The longest first, so that a URL goes as a whole before the key in it.
  const ordered = [...new Set(forms)].sort((a, b) => b.length - a.length);
  return (text) => ordered.reduce((clean, secret) => clean.replaceAll(secret, REDACTED), text);
}
