import type { NextFunction, Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses writes that the browser sends for pages of other sites. They read no answer, but where no keys are asked for, a page anywhere could have its visitor's
 * own service refresh everything.
 * @param origins Pages that may all the same; `*` for all.
 */
export function createForeignPageGuard(origins: readonly string[]) {
  const allowed = new Set(origins);
  return ({ method, headers }: Request, _response: Response, next: NextFunction): void => {
    const isForeign = headers['sec-fetch-site'] === 'cross-site' && !READS.has(method);
    if (isForeign && !allowed.has('*') && !allowed.has(headers.origin ?? '')) {
      throw new AppError('forbidden', 'Pages of other sites may not write here: see CORS_ORIGINS.');
    }
    next();
  };
}
