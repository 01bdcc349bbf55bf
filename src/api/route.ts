import { z } from 'zod';
import type { Access, Principal } from '../domain/access.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { EventStream } from '../lib/event-stream.ts';
import type { CsvForm } from './csv.ts';
import type { ListFilters, Pages } from './cursor.ts';
import { parsePart } from './parse-request.ts';
import type { PercentFace } from './percent-face.ts';

/** One kind of good answer. `schema` null: no body. */
export type ReplySpec = {
  readonly description: string;
  readonly schema: z.ZodType | null;
  /** What the body is sent as, JSON unless told; a text is sent as it is and never stored. */
  readonly mediaType?: string;
  /** How a 200 to a read is told as a table to clients that would rather have `text/csv` than JSON. Without, they get JSON whatever they ask for. */
  readonly csv?: CsvForm;
  /** How a 200 to a read is told to keys with `read:percent`, which may not use the route otherwise. */
  readonly percent?: PercentFace;
  /** What a body looks like; shown in the docs and parsed with `schema` by the tests. */
  readonly example: unknown;
  /** Headers worth documenting: name to description. */
  readonly headers?: Readonly<Record<string, string>>;
};

type ReplySpecs = Readonly<Record<number, ReplySpec>>;

/** What a handler answers with: one of the documented statuses with a body of its schema. */
type ReplyTo<Specs extends ReplySpecs> = {
  [Status in keyof Specs & number]: {
    readonly status: Status;
    readonly body: Specs[Status]['schema'] extends z.ZodType ? z.output<Specs[Status]['schema']> : null;
    readonly headers?: Readonly<Record<string, string>>;
    readonly stream?: EventStream;
  };
}[keyof Specs & number];

export type Reply = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** What is written instead of the body, for as long as it goes on. */
  readonly stream?: EventStream;
};

/** The parts of a request that no route parses for itself. */
type RequestContext = {
  readonly tenantId: string;
  readonly principal: Principal;
  readonly requestId: string;
  /** Path without query. */
  readonly instance: string;
  readonly header: (name: string) => string | undefined;
  /** The cursors of a list with these filters. */
  readonly pages: (filters: ListFilters) => Pages;
  /** Takes more points than the route's cost, once the size of the request is known. Throws rate_limited. */
  readonly charge: (points: number) => Promise<void>;
  /** A signal that fires when the client has gone or the service stops; made on demand, since most requests never wait. */
  readonly signal: () => AbortSignal;
};

/** A request before its parts are parsed. */
export type RawRequest = RequestContext & { readonly params: unknown; readonly query: unknown; readonly body: unknown };

type RouteFace = {
  readonly method: 'get' | 'post' | 'patch' | 'delete';
  /** Below `/api/v1`, in OpenAPI's form: `/wallets/{id}`. */
  readonly path: string;
  readonly operationId: string;
  /** Who may use it. */
  readonly access: Access;
  readonly tag: 'Wallets' | 'Portfolio' | 'Assets' | 'Alerts' | 'Access' | 'System';
  readonly summary: string;
  readonly description?: string;
  /** Request headers worth documenting: name to description and schema. */
  readonly requestHeaders?: z.ZodObject;
  /** Whether its 200 depends on nothing but its path, its query and what is stored, so that it may be kept. */
  readonly isCached?: true;
  /** Whether its answers are about this very moment: they are never stored and carry no tag. */
  readonly isMomentary?: true;
  /** Names of fields of its answer that are told this once and never kept: whoever repeats the request is told null. */
  readonly shownOnce?: readonly string[];
  /** Whether it mostly waits for chains or other services, and so takes no turn from those that are answered from what is stored. */
  readonly isPatient?: true;
  /** Points of the rate limit that a request takes, 1 when left out; 0 is for what must always answer. */
  readonly cost?: number;
  /** The codes it may answer with beyond those that any route may. */
  readonly errors: readonly ErrorCode[];
};

type RequestBody<Schema extends z.ZodType> = {
  readonly schema: Schema;
  /** An optional body counts as `{}` when it is missing. */
  readonly presence: 'none' | 'optional' | 'required';
  /** What it is sent as, JSON unless told. */
  readonly mediaType?: 'text/csv';
  readonly example: unknown;
};

/** For routes that take no body: whatever is sent is left unread. */
export const noBody = { schema: z.undefined(), presence: 'none', example: undefined } as const;

/** One operation of the API, the single source of its serving, its parsing and its documentation. */
export type Route = RouteFace & {
  readonly params: z.ZodObject;
  readonly query: z.ZodObject;
  readonly body: RequestBody<z.ZodType>;
  readonly replies: ReplySpecs;
  /** Parses the request and answers it. Throws AppError. */
  readonly handle: (request: RawRequest) => Promise<Reply>;
};

type RouteDefinition<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  Specs extends ReplySpecs,
> = RouteFace & {
  readonly params: Params;
  readonly query: Query;
  readonly body: RequestBody<Body>;
  readonly replies: Specs;
  readonly handler: (
    request: RequestContext & {
      readonly params: z.output<Params>;
      readonly query: z.output<Query>;
      readonly body: z.output<Body>;
    },
  ) => Promise<ReplyTo<Specs>>;
};

/** An answer of a handler, its status kept as the literal that picks the schema of its body. */
export function reply<const Status extends number, Body>(
  status: Status,
  body: Body,
  headers: Readonly<Record<string, string>> = {},
): { readonly status: Status; readonly body: Body; readonly headers: Readonly<Record<string, string>> } {
  return { status, body, headers };
}

/** A route whose handler gets parsed input only and may answer only what is documented. */
export function defineRoute<
  Params extends z.ZodObject,
  Query extends z.ZodObject,
  Body extends z.ZodType,
  const Specs extends ReplySpecs,
>({ handler, ...definition }: RouteDefinition<Params, Query, Body, Specs>): Route {
  const { params, query, body } = definition;
  return {
    ...definition,
    handle: async (request) =>
      handler({
        ...request,
        params: parsePart(params, request.params, 'path'),
        query: parsePart(query, request.query, 'query'),
        body: parsePart(body.schema, request.body ?? (body.presence === 'optional' ? {} : undefined), 'body'),
      }),
  };
}
