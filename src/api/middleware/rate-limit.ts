import type { Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { RateLimiter } from '../../lib/rate-limiter.ts';
import { setInHead } from '../answer-head.ts';

/** Takes points from whoever sent a request, and tells in the headers of its answer what is left. Throws rate_limited. */
export type Charge = (exchange: { readonly request: Request; readonly response: Response }, cost: number) => Promise<void>;

/**
 * Limits by the headers of draft-ietf-httpapi-ratelimit-headers-11. A client that heeds them is never refused.
 * @param clientOf What points are counted by.
 */
export function createCharge(limiter: RateLimiter | null, clientOf: (request: Request) => string): Charge {
  if (limiter === null) return async () => undefined;
  const { points, windowSeconds } = limiter;
  const policy = `"default";q=${points};w=${windowSeconds}`;
  return async ({ request, response }, cost) => {
    if (cost === 0) return;
    const { isAllowed, remaining, resetMs } = await limiter.spend(clientOf(request), cost);
    const resetSeconds = Math.max(1, Math.ceil(resetMs / 1000));
    setInHead(response, 'RateLimit-Policy', policy);
    setInHead(response, 'RateLimit', `"default";r=${remaining};t=${resetSeconds}`);
    if (isAllowed) return;
    const needed = Math.min(cost, points);
    const detail = `This takes ${needed} ${needed === 1 ? 'point' : 'points'} and ${remaining} of ${points} are left. All are back in ${resetSeconds} s.`;
    throw new AppError('rate_limited', detail, { retryAfterMs: resetMs });
  };
}
