import type { NextFunction, Request, Response } from 'express';
import type { Principal } from '../../domain/access.ts';
import { AppError } from '../../domain/errors.ts';
import { API_PREFIX, costOf } from '../openapi.ts';
import { faceFor } from '../percent-face.ts';
import type { Route } from '../route.ts';
import { keepPrincipal } from './principal.ts';
import type { Charge } from './rate-limit.ts';
import { noteRoute } from './request-log.ts';

type Door = {
  /** On whose behalf a request comes. Throws unauthorized for one that comes on nobody's. */
  readonly authenticate: (request: Request) => Promise<Principal>;
  readonly charge: Charge;
};

/**
 * Lets a request in before anything of its body is read: on whose behalf it comes, whether they may use the route, and what it costs. One that is refused
 * costs a point, so that nobody guesses for nothing.
 */
export function admit(route: Route, { authenticate, charge }: Door) {
  const cost = costOf(route);
  return async (request: Request, response: Response, next: NextFunction): Promise<void> => {
    noteRoute(response, API_PREFIX + route.path);
    try {
      const principal = await authenticate(request);
      keepPrincipal(response, principal);
      faceFor(route, principal);
    } catch (refusal) {
      if (isRefusal(refusal)) await charge({ request, response }, 1);
      throw refusal;
    }
    await charge({ request, response }, cost);
    next();
  };
}

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof AppError && (thrown.code === 'unauthorized' || thrown.code === 'forbidden');
}
