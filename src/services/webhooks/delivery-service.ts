import { setTimeout as sleep } from 'node:timers/promises';
import type { Attempt, AttemptOutcome, AttemptStore } from '../../db/webhooks/attempt-store.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import { pauseSeconds, slowDownSeconds } from '../../domain/webhooks/retry.ts';
import { type HttpClient, parseRetryAfter } from '../../lib/http-client.ts';
import { signWebhook } from '../../lib/webhook-signature.ts';

/** Tells webhooks what has happened: each at least once, in no promised order, under an id that stays the same. */
export type DeliveryService = {
  /** Begins to send what is due, of whomever, and goes on as long as there is something. Resolves when all that there was room for has begun. */
  deliver(): Promise<void>;
  /** Lets go of what was told long ago. */
  deleteOld(): Promise<void>;
  /** Lets what is under way come to its end for a moment, hands the rest back, and resolves when that is done. */
  stop(): Promise<void>;
};

/** `failed`: no other attempt follows. */
export type AttemptEnd = 'delivered' | 'retry' | 'failed';

type DeliveryServiceDeps = {
  readonly attempts: AttemptStore;
  /** Guarded: the URLs are users'. */
  readonly http: Pick<HttpClient, 'send'>;
  readonly now: () => Date;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Hears how each attempt ended. */
  readonly onAttempt: (end: AttemptEnd) => void;
  readonly log: Log;
};

type Log = { warn(details: object, message: string): void };

/** What is under way at once, in this process, and at one webhook and for one tenant in all: what is slow keeps few places. */
const MAX_AT_ONCE = 100;
const MAX_AT_ONCE_EACH = 5;
const MAX_AT_ONCE_TENANT = 20;
const TIMEOUT_MS = 15_000;
/** Longer than an attempt takes with all that goes with it. */
const LEASE_SECONDS = 60;
const DISABLE_AFTER_SECONDS = 86_400;
const STOP_PATIENCE_MS = 1_500;
const KEEP = { deliveredDays: 7, otherDays: 30 } as const;
const MAX_ASKED_MS = 86_400_000;

export function createDeliveryService(deps: DeliveryServiceDeps): DeliveryService {
  const { attempts, log } = deps;
  const inFlight = new Set<Promise<void>>();
  const stopping = new AbortController();
  const giveUp = new AbortController();
  let current: Promise<void> | undefined;
  let isWanted = false;

  const begin = (attempt: Attempt): void => {
    const work = makeAttempt(deps, attempt, giveUp.signal)
      .catch((error: unknown) => logFailure(error, attempt.webhookId))
      .finally(() => {
        inFlight.delete(work);
        // There is room for the next one now, of this webhook too.
        if (!stopping.signal.aborted) deliver().catch((error: unknown) => logFailure(error, attempt.webhookId));
      });
    inFlight.add(work);
  };
  const logFailure = (error: unknown, webhook: string): void => {
    log.warn({ err: error, webhook }, 'what is to be told to webhooks could not be sent');
  };
  const run = async (): Promise<void> => {
    try {
      while (isWanted && !stopping.signal.aborted) {
        isWanted = false;
        while ((await attempts.fanOut()) > 0);
        const limit = MAX_AT_ONCE - inFlight.size;
        if (limit <= 0) return;
        const limits = { limit, limitEach: MAX_AT_ONCE_EACH, limitTenant: MAX_AT_ONCE_TENANT };
        const claimed = await attempts.claim({ ...limits, leaseSeconds: LEASE_SECONDS });
        for (const attempt of claimed) begin(attempt);
      }
    } finally {
      // In the same breath as the last look at what is wanted, so that nobody's wish falls between the two.
      current = undefined;
    }
  };
  /** One look at a time; whoever asks meanwhile has another follow it. */
  const deliver = (): Promise<void> => {
    isWanted = true;
    current ??= run();
    return current;
  };

  return {
    deliver,
    deleteOld: () => attempts.deleteOld(KEEP),
    async stop() {
      stopping.abort();
      await current?.catch(() => undefined);
      const ended = Promise.all(inFlight);
      await Promise.race([ended, sleep(STOP_PATIENCE_MS, undefined, { ref: false })]);
      giveUp.abort();
      await ended;
    },
  };
}

async function makeAttempt(deps: DeliveryServiceDeps, attempt: Attempt, signal: AbortSignal): Promise<void> {
  const answer = await send(deps, attempt, signal);
  if (answer.errorCode === 'upstream_aborted') return deps.attempts.handBack(attempt);
  const outcome = toOutcome(deps, attempt, answer);
  const isDisabled = await deps.attempts.finish(attempt, outcome, { disableAfterSeconds: DISABLE_AFTER_SECONDS });
  deps.onAttempt(outcome.errorCode === null ? 'delivered' : outcome.retryInSeconds === null ? 'failed' : 'retry');
  if (isDisabled) {
    const { webhookId: webhook, tenantId: tenant } = attempt;
    deps.log.warn({ webhook, tenant, isGone: outcome.isGone }, 'a webhook takes nothing any more and was disabled');
  }
}

type Answer = Pick<AttemptOutcome, 'responseStatus' | 'errorCode'> & { readonly askedSeconds: number };

/** Of what comes back, the status and the wait that is asked for are all that anybody gets to know. */
async function send({ http, now }: DeliveryServiceDeps, attempt: Attempt, signal: AbortSignal): Promise<Answer> {
  const { eventId, type, occurredAt, data, url, secrets } = attempt;
  const body = JSON.stringify({ type, timestamp: occurredAt.toISOString(), data });
  const headers = { 'content-type': 'application/json', ...signWebhook({ id: eventId, sentAt: now(), body, secrets }) };
  try {
    const response = await http.send({
      url,
      method: 'POST',
      headers,
      body,
      signal,
      timeoutMs: TIMEOUT_MS,
      maxBytes: 0,
      isBodyDropped: true,
    });
    const { status: responseStatus } = response;
    const isGood = responseStatus >= 200 && responseStatus < 300;
    const asked = parseRetryAfter(response.headers['retry-after'], { now: now().getTime(), maxMs: MAX_ASKED_MS });
    return { responseStatus, errorCode: isGood ? null : 'upstream_status', askedSeconds: (asked ?? 0) / 1000 };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { responseStatus: null, errorCode: toAppError(error).code, askedSeconds: 0 };
  }
}

const GONE = 410;

function toOutcome({ random }: DeliveryServiceDeps, { number }: Attempt, answer: Answer): AttemptOutcome {
  const { responseStatus, errorCode, askedSeconds } = answer;
  const isGone = responseStatus === GONE;
  const pause = errorCode === null || isGone ? undefined : pauseSeconds(number, { askedSeconds, random });
  return {
    responseStatus,
    errorCode,
    retryInSeconds: pause ?? null,
    pauseSeconds: slowDownSeconds(responseStatus, askedSeconds),
    isGone,
  };
}
