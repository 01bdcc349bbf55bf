import type { Request, Response } from 'express';
import { mayUse, type Principal } from '../domain/access.ts';
import { toAppError } from '../domain/errors.ts';
import { type EventStream, openEventStream, type StreamEnd } from '../lib/event-stream.ts';
import { noteStream } from './middleware/request-log.ts';
import type { Route } from './route.ts';
import { sendText } from './send-json.ts';

export type StreamDeps = {
  /** On whose behalf a request comes. Throws unauthorized for one that comes on nobody's. */
  readonly authenticate: (request: Request) => Promise<Principal>;
  /** Fires when the service begins to stop. */
  readonly stopSignal: AbortSignal;
  readonly metrics: { readonly onStreamEnd: (end: StreamEnd) => void };
};

type Sending = {
  readonly request: Request;
  readonly response: Response;
  readonly tenantId: string;
  readonly stream: EventStream;
};

/** Answers with a stream, for as long as its reader wants it and may have it. */
export function sendStream(
  { authenticate, stopSignal, metrics }: StreamDeps,
  route: Route,
  { request, response, tenantId, stream }: Sending,
): void {
  if (response.destroyed || request.method === 'HEAD') {
    stream.close();
    if (!response.destroyed) sendText(response, { status: 200, type: route.replies[200]?.mediaType ?? '', text: '' });
    return;
  }
  noteStream(response);
  const isAllowed = async (): Promise<boolean> => {
    try {
      const principal = await authenticate(request);
      return principal.tenantId === tenantId && mayUse(principal, route.access);
    } catch (error) {
      // A database that does not answer takes nothing back.
      return toAppError(error).code === 'database_unavailable';
    }
  };
  openEventStream(response, { stream, isAllowed, stopSignal, onEnd: metrics.onStreamEnd });
}
