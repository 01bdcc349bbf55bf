import type { z } from 'zod';
import { mayUse, type Principal } from '../domain/access.ts';
import { AppError } from '../domain/errors.ts';
import { parsePart } from './parse-request.ts';
import type { Route } from './route.ts';

/** How a 200 is told to those who may see shares and returns, and neither amounts nor addresses. */
export type PercentFace<Body = unknown> = {
  /** The parameters that tell nothing else either: a part of the route's. */
  readonly query: z.ZodObject;
  readonly schema: z.ZodType;
  readonly example: unknown;
  redact(body: Body): unknown;
};

/** The route as a principal may use it: as it is, or with its 200 redacted. Throws forbidden where they may do neither. */
export function faceFor(route: Route, principal: Pick<Principal, 'scopes'>): Route {
  if (mayUse(principal, route.access)) return route;
  const percent = route.replies[200]?.percent;
  if (percent !== undefined && mayUse(principal, 'read:percent')) return redactRoute(route, percent);
  throw new AppError('forbidden', `This takes a key with the scope ${route.access}.`);
}

function redactRoute(route: Route, percent: PercentFace): Route {
  return {
    ...route,
    access: 'read:percent',
    replies: { 200: { description: 'Shares and returns.', schema: percent.schema, example: percent.example } },
    async handle(request) {
      // A parameter that nobody may send is not one that takes another key.
      parsePart(route.query, request.query, 'query');
      requireHarmless(percent, request.query);
      const { body, ...rest } = await route.handle(request);
      // What the schema does not name goes no further.
      return { ...rest, body: percent.schema.parse(percent.redact(body)) };
    },
  };
}

/** Throws forbidden, with its place, for a parameter that would tell more than shares and returns. */
function requireHarmless({ query }: PercentFace, sent: unknown): void {
  try {
    parsePart(query, sent, 'query');
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const message = 'This takes a key with the scope read:values.';
    const issues = error.issues.map(({ pointer }) => ({ pointer, code: 'forbidden', message }));
    throw new AppError('forbidden', message, { issues });
  }
}
