import CircuitBreaker from 'opossum';
import { AppError, type ErrorCode } from '../../../domain/errors.ts';

/** What came of a request: its answer, and the code of the failure that the answer stands for, if it does. */
export type Sent<T> = { readonly answer: T; readonly fault: ErrorCode | undefined };

/** The breaker of one endpoint. */
export type EndpointBreaker = {
  /** Resolves with the answer, also with one that counts as a failure. @throws what `send` throws, or OpenBreakerError. */
  run<T>(send: () => Promise<Sent<T>>): Promise<T>;
  /** @throws OpenBreakerError where `run` would. */
  refuseIfOpen(): void;
  /** Refuses everything for a minute, or until `close`. */
  open(code: ErrorCode): void;
  close(): void;
  /** Whoever is to know that it opened. */
  onOpen(listener: () => void): void;
  state(): 'closed' | 'open' | 'half_open';
};

/** The breaker refused the call: nothing new is known of the endpoint. The code is that of the failure that opened it. */
export class OpenBreakerError extends AppError {}

/** A breaker is for endpoints that are down; the pool deals with those that only fail often. */
const OPTIONS = {
  volumeThreshold: 5,
  errorThresholdPercentage: 80,
  rollingCountTimeout: 30_000,
  resetTimeout: 60_000,
  rollingPercentilesEnabled: false,
  enableSnapshots: false,
};
/** The HTTP client ends every request by its own clock; the breaker's only stands behind it. */
const GRACE_MS = 5_000;
/** They say nothing of whether the endpoint works. For the one trial of a half-open breaker that is not enough. */
const NEITHER: ReadonlySet<ErrorCode> = new Set(['upstream_aborted', 'upstream_rate_limited']);

export function createEndpointBreaker({
  name,
  timeoutMs,
}: {
  readonly name: string;
  readonly timeoutMs: number;
}): EndpointBreaker {
  let lastFault: ErrorCode = 'upstream_unreachable';
  const breaker: CircuitBreaker<[() => Promise<void>], void> = new CircuitBreaker((action) => action(), {
    ...OPTIONS,
    timeout: timeoutMs + GRACE_MS,
    errorFilter: (error: unknown): boolean => !breaker.halfOpen && error instanceof AppError && NEITHER.has(error.code),
  });
  const refusal = (): OpenBreakerError =>
    new OpenBreakerError(lastFault, `${name} is left alone after it failed.`, { provider: name });
  const fault = (code: ErrorCode): AppError => {
    if (!NEITHER.has(code)) lastFault = code;
    return new AppError(code, `${name} failed.`, { provider: name });
  };

  return {
    async run(send) {
      let sent: { readonly answer: Awaited<ReturnType<typeof send>>['answer'] } | undefined;
      try {
        await breaker.fire(async () => {
          const result = await send().catch((error: unknown) => {
            if (error instanceof AppError) fault(error.code);
            throw error;
          });
          sent = result;
          if (result.fault !== undefined) throw fault(result.fault);
        });
      } catch (error) {
        if (sent === undefined) throw error instanceof AppError ? error : refusal();
      }
      if (sent === undefined) throw refusal();
      return sent.answer;
    },
    refuseIfOpen() {
      if (breaker.opened || (breaker.halfOpen && !breaker.pendingClose)) throw refusal();
    },
    open(code) {
      lastFault = code;
      // opossum starts its clock only when it opens.
      breaker.close();
      breaker.open();
    },
    close: () => breaker.close(),
    onOpen: (listener) => breaker.on('open', listener),
    state: () => (breaker.opened ? 'open' : breaker.halfOpen ? 'half_open' : 'closed'),
  };
}
