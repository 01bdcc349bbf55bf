import { type DestinationStream, type LevelWithSilent, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { createLineWriter, type LineWriter } from './line-writer.ts';
import { createRedactor } from './redactor.ts';
import { currentTrace } from './tracing-context.ts';

export type Logger = PinoLogger;

export type LoggerOptions = {
  readonly level: LevelWithSilent;
  /** Texts that no line may hold. */
  readonly secrets: readonly string[];
  /** Where lines go; standard output when left out. */
  readonly destination?: DestinationStream;
  /** Called for each line that standard output did not take. */
  readonly onLineDropped?: () => void;
};

/**
 * A log of JSON lines. Secrets are taken out of the finished line: looking for them by the names of fields misses those in messages, stacks
 * and causes of errors. Lines that nobody reads are dropped and counted: a stuck reader neither stops the service nor fills its memory.
 */
export function createLogger({ level, secrets, destination, onLineDropped }: LoggerOptions): Logger {
  const { redactJson } = createRedactor(secrets);
  const options = {
    level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeError },
    mixin: describeTrace,
    hooks: { streamWrite: redactJson },
  };
  if (destination !== undefined) return pino(options, destination);
  let dropped = 0;
  const output = standardOutput();
  const log = pino(options, {
    write(line) {
      if (!output.write(line)) {
        dropped += 1;
        onLineDropped?.();
      } else if (dropped > 0) {
        const lines = dropped;
        dropped = 0;
        log.warn({ lines }, 'lines were dropped, because nobody read them');
      }
    },
  });
  return log;
}

let writer: LineWriter | undefined;

/** One writer a process, however many logs it has; what waits at its end is written then. */
function standardOutput(): LineWriter {
  if (writer === undefined) {
    writer = createLineWriter(process.stdout);
    process.once('exit', writer.flush);
  }
  return writer;
}

/** Joins the lines of one request or job. */
function describeTrace(): object {
  const trace = currentTrace();
  return trace === undefined ? {} : { trace_id: trace.traceId };
}

const MAX_CAUSES = 5;

/** An error by its words alone: what libraries hang on theirs (connections, requests, keys) has no place in a log. */
function describeError(thrown: unknown, depth = 0): unknown {
  if (!(thrown instanceof Error)) return thrown;
  const { name, message, stack, cause } = thrown;
  const code = 'code' in thrown ? thrown.code : undefined;
  const causes = thrown instanceof AggregateError ? thrown.errors.slice(0, MAX_CAUSES) : [cause];
  const told = depth >= MAX_CAUSES ? [] : causes.filter((one) => one !== undefined).map((one) => describeError(one, depth + 1));
  return { type: name, code, message, stack, ...(told.length === 0 ? {} : { causes: told }) };
}
