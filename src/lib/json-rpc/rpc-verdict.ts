import type { AppError, ErrorCode } from '../../domain/errors.ts';
import { adviseRetry } from './guard/retry-advice.ts';
import { type Answerer, outranksBody, readItem } from './rpc-answers.ts';

/** What an answer says of the endpoint that sent it. */
export type Verdict = {
  /** An error only if it is that of every call asked for. */
  readonly outcome: 'ok' | ErrorCode;
  /** The endpoint as such failed, though it answered. */
  readonly isFault: boolean;
  /** How much of the request was turned away for being too much at a time. */
  readonly refused: 'none' | 'part' | 'all';
};

/** Judges a parsed body and the error that its status stands for. */
export function judgeAnswer(
  answerer: Answerer,
  body: { readonly failed: AppError | undefined; readonly answer: unknown },
): Verdict {
  const { failed, answer } = body;
  // Some servers send an error of the call under a status of its own: then the body says more.
  if (failed !== undefined && outranksBody(answerer, failed, answer)) {
    const { code } = failed;
    // A call can be too large for a good endpoint; every other status is no sign of health.
    return { outcome: code, isFault: code !== 'upstream_too_large', refused: code === 'upstream_rate_limited' ? 'all' : 'none' };
  }
  const items = (Array.isArray(answer) ? answer : [answer]).map((one: unknown) => readItem(answerer, one));
  const codes = items.flatMap((item) => (item.ok ? [] : [item.error.code]));
  const isLimited = codes.includes('upstream_rate_limited');
  const [first] = codes;
  const isCommon = codes.length === items.length && codes.every((code) => code === first);
  const outcome = first !== undefined && isCommon ? first : 'ok';
  return {
    outcome,
    isFault: outcome === 'upstream_rate_limited' || (outcome !== 'ok' && adviseRetry(outcome).blamesEndpoint),
    refused: !isLimited ? 'none' : outcome === 'ok' ? 'part' : 'all',
  };
}
