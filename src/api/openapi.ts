import { z } from 'zod';
import {
  createDocument,
  type ZodOpenApiMediaTypeObject,
  type ZodOpenApiObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiResponseObject,
} from 'zod-openapi';
import { AppError, type ErrorCode } from '../domain/errors.ts';
import { CSV_TYPE, renderCsv } from './csv.ts';
import { httpFaceOf, toProblem } from './http-errors.ts';
import { idempotencyHeaders, replayedHeader } from './idempotent.ts';
import type { ReplySpec, Route } from './route.ts';
import { nothing } from './schemas/common.ts';
import { problemSchema } from './schemas/problem.ts';

/** Where the routes are served. */
export const API_PREFIX = '/api/v1';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const DESCRIPTION = `What you hold across chains and what it is worth. Every number says how old it is, where it comes from and what is missing.

Amounts, prices and values are strings of exact digits. Unknown is \`null\` with a reason, never zero. Reads carry an \`ETag\` and answer
\`If-None-Match\` with a 304; it is a weak one where an answer holds ages, which it leaves out. Every error is an RFC 9457 problem with a stable
\`code\`; [all of them](/docs/errors). Every answer carries an \`X-Request-Id\`, yours if you send one of up to 64 letters, digits and hyphens.

Where keys are asked for, send yours as \`Authorization: Bearer <key>\` or \`X-API-Key: <key>\`, never in the address. Without a valid one the answer is a 401,
with one that lacks the scope a 403. A service that serves its own machine alone asks for none unless told to.

Clients have points to spend, which are all back when a window of time ends. \`RateLimit-Policy\` tells how many (\`q\`) a window has and its length in
seconds (\`w\`), \`RateLimit\` how many are left (\`r\`) and in how many seconds all are back (\`t\`). A request takes 1 point unless it says otherwise. One
that takes more than are left is refused with a 429 and a \`Retry-After\`, and takes none. Whoever heeds these headers is never refused for want of
points. All keys of a tenant spend the same ones. A tenant also has so many refreshes an hour, and a place for so many requests that wait; those that
are worked out take turns, so that nobody waits for long because another tenant asks for much.`;

const TAGS = [
  { name: 'Wallets', description: 'The addresses that are followed.' },
  { name: 'Portfolio', description: 'What they hold together, and how fresh that is.' },
  { name: 'Assets', description: 'What is held, its prices, and your word on them.' },
  { name: 'Alerts', description: 'Being told of what happens.' },
  { name: 'Access', description: 'Keys, and what they allow.' },
  { name: 'System', description: 'The chains and the health of the service.' },
];

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'A key: `Authorization: Bearer cpf_...`.' },
  header: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The same key, in a header of its own.' },
} as const;

/** The OpenAPI 3.1 document of exactly these routes, from the schemas that parse their requests and type their answers. */
export function createOpenApi(routes: readonly Route[], { version }: { readonly version: string }): OpenApiDocument {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  const problems: Responses = {};
  for (const route of routes) {
    paths[API_PREFIX + route.path] = { ...paths[API_PREFIX + route.path], [route.method]: toOperation(route, problems) };
  }
  const document: ZodOpenApiObject = {
    openapi: '3.1.1',
    info: { title: 'chainfolio', version, description: DESCRIPTION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    tags: TAGS,
    components: { securitySchemes: SECURITY_SCHEMES },
    paths,
  };
  return createDocument(document, {
    override: ({ jsonSchema, io }) => {
      // Answers may gain fields; a client that is generated from this document has to let them pass.
      if (io === 'output') delete jsonSchema.additionalProperties;
    },
  });
}

/** Points of the rate limit that a request to a route takes at least. */
export function costOf({ cost = 1 }: Route): number {
  return cost;
}

/** The codes a route may answer with: its own, and those that any route may. */
export function errorCodesOf(route: Route): readonly ErrorCode[] {
  const codes = new Set<ErrorCode>(route.errors);
  codes.add('invalid_request');
  if (route.method !== 'get') {
    for (const code of ['conflict', 'idempotency_key_in_use', 'idempotency_key_reused'] as const) codes.add(code);
  }
  codes.add('unauthorized');
  if (route.access !== 'any_key') codes.add('forbidden');
  if (route.replies[200]?.csv !== undefined) codes.add('not_acceptable');
  // Whoever tries many keys is refused even what takes no points.
  codes.add('rate_limited');
  if (costOf(route) > 0 && !route.isPatient) codes.add('service_unavailable');
  if (route.body.presence !== 'none') {
    for (const code of ['invalid_json', 'payload_too_large', 'unsupported_media_type'] as const) codes.add(code);
  }
  for (const code of ['request_timeout', 'headers_too_large', 'internal', 'database_unavailable', 'shutting_down'] as const) {
    codes.add(code);
  }
  return [...codes];
}

function toOperation(route: Route, problems: Responses): ZodOpenApiOperationObject {
  const { params, query, body } = route;
  const responses = toErrorResponses(route, problems);
  for (const [status, spec] of Object.entries(route.replies)) {
    const headers = route.method === 'get' ? spec.headers : { ...spec.headers, ...replayedHeader };
    responses[status] = withReply(responses[status], { ...spec, ...(headers === undefined ? {} : { headers }) });
  }
  if (route.method === 'get' && !route.isMomentary) {
    responses['304'] = { description: 'Nothing but ages has changed since the answer with this `ETag`.' };
  }
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    description: describe(route),
    security: Object.keys(SECURITY_SCHEMES).map((scheme) => ({ [scheme]: scopesOf(route) })),
    requestParams: {
      ...(params === nothing ? {} : { path: params }),
      ...(query === nothing ? {} : { query }),
      ...toHeaders(route),
    },
    ...(body.presence === 'none'
      ? {}
      : {
          requestBody: {
            required: body.presence === 'required',
            content: { [body.mediaType ?? 'application/json']: { schema: body.schema, example: body.example } },
          },
        }),
    responses,
  };
}

/** Every write may carry a key. */
function toHeaders({ method, requestHeaders }: Route): { readonly header?: z.ZodObject } {
  if (method === 'get') return requestHeaders === undefined ? {} : { header: requestHeaders };
  return { header: requestHeaders === undefined ? idempotencyHeaders : requestHeaders.extend(idempotencyHeaders.shape) };
}

/** The scopes out of which a key needs one: that of the route, or the one that is told shares only. */
function scopesOf({ access, replies }: Route): string[] {
  if (access === 'any_key') return [];
  return replies[200]?.percent === undefined ? [access] : ['read:percent'];
}

function describe(route: Route): string {
  const cost = costOf(route);
  const told = cost === 0 ? 'Takes no points.' : `Takes ${cost} ${cost === 1 ? 'point' : 'points'}.`;
  const percent = route.replies[200]?.percent;
  const shared =
    percent && `Keys with \`read:percent\` are told shares and returns only, and may send ${listNames(percent.query)}.`;
  return [route.description, shared, told].filter((part) => part !== undefined).join(' ');
}

function listNames({ shape }: z.ZodObject): string {
  return Object.keys(shape)
    .map((name) => `\`${name}\``)
    .join(', ');
}

type Responses = Record<string, ZodOpenApiResponseObject>;

function withReply(other: ZodOpenApiResponseObject | undefined, spec: ReplySpec): ZodOpenApiResponseObject {
  const content = spec.schema === null ? {} : { [spec.mediaType ?? 'application/json']: toMedia(spec, spec.schema) };
  const table =
    spec.csv === undefined
      ? {}
      : { [CSV_TYPE]: { schema: { type: 'string' as const }, example: renderCsv(spec.csv, spec.example) } };
  const headers = Object.entries(spec.headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' as const } },
  ]);
  return {
    description: other === undefined ? spec.description : `${spec.description} Or: ${other.description}`,
    ...(headers.length === 0 ? {} : { headers: Object.fromEntries(headers) }),
    content: { ...content, ...table, ...other?.content },
  };
}

/** What a body looks like: to every key alike, or to those that may see values and to those that may not. */
function toMedia({ example, percent }: ReplySpec, schema: z.ZodType): ZodOpenApiMediaTypeObject {
  if (percent === undefined) return { schema, example };
  return {
    schema: z.xor([schema, percent.schema]),
    examples: { values: { value: example }, percent: { value: percent.example } },
  };
}

/** One response a status, with an example for each code that has it; `problems` keeps those that routes have in common. */
function toErrorResponses(route: Route, problems: Responses): Responses {
  const byStatus = Map.groupBy(errorCodesOf(route), (code) => httpFaceOf(code).status);
  const responses: Responses = {};
  for (const [status, codes] of byStatus) {
    const id = codes.join('.');
    problems[id] ??= { id, ...toProblemResponse(codes) };
    responses[String(status)] = problems[id];
  }
  return responses;
}

function toProblemResponse(codes: readonly ErrorCode[]): ZodOpenApiResponseObject {
  return {
    description: codes.map((code) => `\`${code}\`: ${httpFaceOf(code).title}.`).join(' '),
    content: {
      'application/problem+json': {
        schema: problemSchema,
        examples: Object.fromEntries(codes.map((code) => [code, { value: exampleProblem(code) }])),
      },
    },
  };
}

function exampleProblem(code: ErrorCode): unknown {
  return toProblem(new AppError(code, `${httpFaceOf(code).title}.`), {
    instance: `${API_PREFIX}/wallets`,
    requestId: '7b0c2d9e-6a55-4c2e-9f0a-2b1e4d3c5f6a',
  });
}
