import type { Request, Response } from 'express';
import type { Principal } from '../domain/access.ts';
import { AppError } from '../domain/errors.ts';
import type { Turns } from '../lib/turns.ts';
import type { AnswerService } from '../services/answer-service.ts';
import type { IdempotencyService } from '../services/requests/idempotency-service.ts';
import { CSV_TYPE, type CsvForm, renderCsv } from './csv.ts';
import { createPages } from './cursor.ts';
import { writeOnce } from './idempotent.ts';
import { instanceOf } from './middleware/error-handler.ts';
import { principalOf } from './middleware/principal.ts';
import type { Charge } from './middleware/rate-limit.ts';
import { requestIdOf } from './middleware/request-context.ts';
import { costOf } from './openapi.ts';
import { readQuery } from './parse-request.ts';
import { faceFor } from './percent-face.ts';
import type { Reply, Route } from './route.ts';
import { JSON_TYPE, sendAnswer, sendJson, sendText, sendWritten, toBytes } from './send-json.ts';
import { type StreamDeps, sendStream } from './send-stream.ts';

type ServeDeps = StreamDeps & {
  readonly answers: AnswerService;
  readonly idempotency: Pick<IdempotencyService, 'run'>;
  readonly charge: Charge;
  /** In which tenants take turns. */
  readonly turns: Turns;
  /** What cursors are signed with. */
  readonly cursorSecret: Buffer;
  /** Fires when the service begins to stop. */
  readonly stopSignal: AbortSignal;
};

type Exchange = { readonly request: Request; readonly response: Response };

/** Answers one request that was let in with a route: from what is kept where it may be, else by its handler. Throws AppError. */
export async function serveRoute(deps: ServeDeps, route: Route, { request, response }: Exchange): Promise<void> {
  const principal = principalOf(response);
  if (principal === undefined) throw new AppError('unauthorized', 'Nobody was asked who this is.');
  const { tenantId } = principal;
  const face = faceFor(route, principal);
  const csv = chooseTable(face, { request, response });
  const handle = (): Promise<Reply> => {
    const work = (): Promise<Reply> => callHandler(deps, face, { request, response, principal });
    if (route.isPatient || costOf(route) === 0) return work();
    // An answer that is kept is made for others too, who wait for it when this client goes.
    return route.isCached ? deps.turns.run(tenantId, work) : deps.turns.run(tenantId, work, goneSignal(response));
  };
  if (route.isCached) {
    const isBypass = wantsFresh(request);
    const render = async () => toBytes(write((await handle()).body, csv));
    // No address has a space in it.
    const key = `${answerKey(request)}${csv === undefined ? '' : ' csv'}${face === route ? '' : ' percent'}`;
    const answer = await deps.answers.read({ tenantId, key, isBypass, render });
    if (!response.destroyed) sendAnswer(request, response, answer, csv === undefined ? JSON_TYPE : CSV_TYPE);
    return;
  }
  const reply =
    route.method === 'get'
      ? await handle()
      : await writeOnce(deps, route, { request, response, tenantId, handle }).finally(() => deps.answers.noteWrite(tenantId));
  if (reply.stream !== undefined) return sendStream(deps, route, { request, response, tenantId, stream: reply.stream });
  if (response.destroyed) return;
  if (route.isMomentary) response.setHeader('Cache-Control', 'no-store');
  const type = route.replies[reply.status]?.mediaType;
  if (csv !== undefined && reply.status === 200) {
    sendWritten(request, response, { ...reply, content: { type: CSV_TYPE, text: write(reply.body, csv) } });
  } else if (type === undefined) sendJson(request, response, reply);
  else sendText(response, { status: reply.status, type, text: String(reply.body) });
}

/** The table, if the client would rather have that than JSON. Throws not_acceptable for one that wants neither. */
function chooseTable({ replies }: Route, { request, response }: Exchange): CsvForm | undefined {
  const csv = replies[200]?.csv;
  if (csv === undefined) return undefined;
  response.vary('Accept');
  const type = request.accepts([JSON_TYPE, CSV_TYPE]);
  if (type === false) throw new AppError('not_acceptable', 'This is to be had as application/json and as text/csv.');
  return type === CSV_TYPE ? csv : undefined;
}

function write(body: unknown, csv: CsvForm | undefined): string {
  return csv === undefined ? JSON.stringify(body) : renderCsv(csv, body);
}

function callHandler(
  { stopSignal, charge, cursorSecret }: ServeDeps,
  route: Route,
  { request, response, principal }: Exchange & { readonly principal: Principal },
): Promise<Reply> {
  return route.handle({
    tenantId: principal.tenantId,
    principal,
    requestId: requestIdOf(response),
    instance: instanceOf(request),
    header: (name) => request.get(name),
    pages: (filters) => createPages(cursorSecret, { tenantId: principal.tenantId, filters }),
    charge: (points) => charge({ request, response }, points),
    signal: () => AbortSignal.any([goneSignal(response), stopSignal]),
    params: request.params,
    query: readQuery(searchOf(request), route.query),
    body: request.body,
  });
}

function searchOf({ url }: Request): string {
  const start = url.indexOf('?');
  return start === -1 ? '' : url.slice(start);
}

/** The path and the query, whose parameters may come in any order. */
function answerKey(request: Request): string {
  const search = searchOf(request);
  if (!search.includes('&')) return request.url;
  const parameters = new URLSearchParams(search);
  parameters.sort();
  return `${request.url.slice(0, -search.length)}?${parameters}`;
}

function wantsFresh({ headers }: Request): boolean {
  return headers['cache-control'] !== undefined && /\bno-cache\b/i.test(headers['cache-control']);
}

function goneSignal(response: Response): AbortSignal {
  const gone = new AbortController();
  if (response.destroyed) gone.abort();
  else response.once('close', () => gone.abort());
  return gone.signal;
}
