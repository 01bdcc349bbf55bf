import type { NextFunction, Request, Response } from 'express';
import { AppError } from '../../domain/errors.ts';

const LOOPBACK_HOST = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;

/**
 * For a service without keys that listens on a loopback address: refuses requests under any other name. A web page could otherwise point a name of its own at this
 * machine (DNS rebinding) and read everything through the browser of whoever visits it.
 */
export function requireLoopbackHost(request: Request, _response: Response, next: NextFunction): void {
  const { host } = request.headers;
  if (host !== undefined && !LOOPBACK_HOST.test(host)) {
    throw new AppError('invalid_request', 'This service answers on this machine only, under localhost or a loopback address.');
  }
  next();
}
