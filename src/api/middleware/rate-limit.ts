import type { Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';
import type { RateLimiter } from '../../lib/rate-limiter.ts';
import type { QuotaService } from '../../services/access/quota-service.ts';
import { setInHead } from '../answer-head.ts';
import { principalOf } from './principal.ts';

/** Takes points from whoever sent a request, and tells in the headers of its answer what is left. Throws rate_limited. */
export type Charge = (exchange: { readonly request: Request; readonly response: Response }, cost: number) => Promise<void>;

type ChargeDeps = {
  /** null: nothing is limited. */
  readonly limiter: RateLimiter | null;
  /** What those are counted by who came without a key. */
  readonly clientOf: (request: Request) => string;
  readonly quotas: QuotaService;
};

/**
 * Limits by the headers of draft-ietf-httpapi-ratelimit-headers-11. A client that heeds them is never refused. Points are a tenant's, whichever of its keys a
 * request came with; without a key, or before it is known whose it is, they are those of the client's address.
 */
export function createCharge({ limiter, clientOf, quotas }: ChargeDeps): Charge {
  if (limiter === null) return async () => undefined;
  return async ({ request, response }, cost) => {
    if (cost === 0) return;
    const tenantId = keyHolderOf(response);
    const points = tenantId === undefined ? limiter.points : (await quotas.get(tenantId)).requestsPerMinute;
    if (points === null) return;
    const spender = tenantId === undefined ? clientOf(request) : `tenant ${tenantId}`;
    const { isAllowed, remaining, resetMs } = await limiter.spend(spender, cost, points);
    const resetSeconds = Math.max(1, Math.ceil(resetMs / 1000));
    setInHead(response, 'RateLimit-Policy', `"default";q=${points};w=${limiter.windowSeconds}`);
    setInHead(response, 'RateLimit', `"default";r=${remaining};t=${resetSeconds}`);
    if (isAllowed) return;
    const needed = Math.min(cost, points);
    const detail = `This takes ${needed} ${needed === 1 ? 'point' : 'points'} and ${remaining} of ${points} are left. All are back in ${resetSeconds} s.`;
    throw new AppError('rate_limited', detail, { retryAfterMs: resetMs });
  };
}

/** The tenant of whoever has shown a key. */
function keyHolderOf(response: Response): string | undefined {
  const principal = principalOf(response);
  return principal === undefined || principal.keyId === null ? undefined : principal.tenantId;
}
