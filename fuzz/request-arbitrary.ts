import fc from 'fast-check';
import type { ApiDocument, Operation, Parameter } from './api-document.ts';
import { kindOf } from './memory.ts';
import { type SchemaPlace, toArbitrary } from './schema-arbitrary.ts';

/** One request. Marks like `{{wallet:7}}` in it are yet to be filled in with what answers held. */
export type FuzzRequest = {
  /** What it was made from; another method or path may be what is sent. */
  readonly operation: Operation;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Which of the keys goes with it; null for none. */
  readonly keyIndex: number | null;
};

type Change = (request: FuzzRequest) => FuzzRequest;

/** Requests to each operation of a document: as it says, and with one to three faults. */
export function requestArbitrary({ operations, schemas }: ApiDocument): fc.Arbitrary<FuzzRequest> {
  return fc.oneof(
    ...operations.map((operation) =>
      fc
        .tuple(fitting(operation, schemas), fc.array(changes, { minLength: 1, maxLength: 3 }), fc.nat({ max: 9 }))
        .map(([request, faults, dice]) => (dice < 5 ? request : faults.reduce((changed, change) => change(changed), request))),
    ),
  );
}

function fitting(operation: Operation, schemas: ApiDocument['schemas']): fc.Arbitrary<FuzzRequest> {
  const { method, path, body, parameters } = operation;
  const place = (where: string): fc.Arbitrary<readonly (readonly [string, unknown])[]> => {
    const wanted = parameters.filter((parameter) => parameter.in === where);
    const made = wanted.map((each) => toParameter(each, path, schemas).map((value) => [each.name, value] as const));
    return fc.tuple(...made).map((pairs) => pairs.filter(([, value]) => value !== undefined));
  };
  const parts = { path: place('path'), query: place('query'), header: place('header') };
  const made = body === null ? fc.constant(null) : toBody(body, { schemas, kind: kindOf(path.split('/')[3] ?? '') });
  return fc.record({ ...parts, body: made, keyIndex: keyIndexes }).map(({ path: steps, query, header, ...rest }) => {
    const filled = steps.reduce((text, [name, value]) => text.replace(`{${name}}`, encode(value)), path);
    const search = query.map(([name, value]) => `${name}=${encode(value)}`);
    const headers = header.map(([name, value]) => [name.toLowerCase(), toHeader(value)]);
    const type = body === null ? [] : [['content-type', body.mediaType]];
    const target = search.length === 0 ? filled : `${filled}?${search.join('&')}`;
    return { ...rest, operation, method, target, headers: Object.fromEntries([...type, ...headers]) };
  });
}

/** Most requests come without a key, and so may do everything. */
const keyIndexes = fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, fc.nat({ max: 3 }));

/** A value for a parameter; often none for one that may be left out. */
function toParameter(
  { name, in: where, required, schema }: Parameter,
  path: string,
  schemas: ApiDocument['schemas'],
): fc.Arbitrary<unknown> {
  const [before = ''] = path.split(`/{${name}}`);
  const kind = where === 'path' ? kindOf(before.split('/').at(-1) ?? '') : kindOf(name);
  const special: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
    cursor: fc.constant('{{cursor:0}}'),
    'if-match': fc.constant('{{etag:0}}'),
    'idempotency-key': fc.uuid(),
  };
  const known = special[name.toLowerCase()];
  const plain = toArbitrary(schema, { schemas, kind });
  // An example names nothing that is there.
  const mark = fc.nat({ max: 999 }).map((position) => `{{${kind}:${position}}}`);
  const value =
    where === 'path' ? fc.oneof({ weight: 5, arbitrary: mark }, plain) : known === undefined ? plain : fc.oneof(known, plain);
  return required ? value : fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, value);
}

function toBody({ mediaType, schema, example }: NonNullable<Operation['body']>, place: SchemaPlace): fc.Arbitrary<string> {
  if (!mediaType.includes('json')) return fc.oneof(fc.constant(String(example)), fc.string({ unit: 'binary' }));
  const values = fc.oneof(
    { weight: 1, arbitrary: fc.constant(markIds(example)) },
    { weight: 3, arbitrary: toArbitrary(schema, place) },
  );
  return values.map((value) => JSON.stringify(value));
}

/** An example with marks for the ids in it, which name nothing that is there. */
function markIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(markIds);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      const isName = typeof item === 'string' && /^(url|address|wallet_id|asset_uuid)$/.test(name);
      return [name, isName ? `{{${kindOf(name)}:0}}` : markIds(item)];
    }),
  );
}

/** Marks stay readable. */
function encode(value: unknown): string {
  const text = Array.isArray(value) ? value.join(',') : String(value);
  return encodeURIComponent(text.isWellFormed() ? text : text.toWellFormed()).replaceAll(
    /%7B%7B(\w+)%3A(\d+)%7D%7D/g,
    '{{$1:$2}}',
  );
}

/** What HTTP lets stand in a header. */
function toHeader(value: unknown): string {
  return String(value)
    .replaceAll(/[^\x20-\x7e]/g, '')
    .trim();
}

const junk = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e400',
    'null',
    '__proto__',
    'constructor',
    '../../etc/passwd',
    "' or 1=1 --",
    '\u0000',
    '%00',
    '{{wallet:3}}',
  ),
  fc.nat({ max: 3000 }).map((length) => 'x'.repeat(length)),
);

const HEADERS = [
  'accept',
  'content-type',
  'content-encoding',
  'if-none-match',
  'if-match',
  'prefer',
  'idempotency-key',
  'x-request-id',
];
const BODIES = [
  '',
  '{',
  'null',
  '[]',
  '"text"',
  '{"a":1,}',
  '{"__proto__":{"a":1}}',
  `${'['.repeat(20_000)}`,
  `{"a":${'9'.repeat(5_000)}}`,
];

/** Ways to spoil a request. */
const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(junk, junk).map(([name, value]): Change => addQuery(encode(name), encode(value))),
  fc.tuple(fc.nat(), junk).map(([position, value]): Change => spoilQuery(position, encode(value))),
  fc.tuple(fc.nat(), junk).map(([position, value]): Change => spoilPath(position, encode(value))),
  fc.constantFrom('/', '//', '/%', '/%2e%2e/', '?', '?&&=', '%ff').map(
    (tail): Change =>
      (request) => ({ ...request, target: request.target + tail }),
  ),
  fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE').map(
    (method): Change =>
      (request) => ({ ...request, method }),
  ),
  fc.tuple(fc.constantFrom(...HEADERS), junk).map(([name, value]): Change => addHeader(name, toHeader(value))),
  fc.constant<Change>(addHeader('authorization', 'Bearer cpf_4fKq0ZsLw2Xb_x')),
  fc.oneof(fc.constantFrom(...BODIES), fc.json({ maxDepth: 4 }), fc.string({ unit: 'binary' })).map(
    (body): Change =>
      (request) => ({ ...request, body }),
  ),
  fc.tuple(fc.nat(), fc.jsonValue({ maxDepth: 3 })).map(([position, value]): Change => spoilField(position, value)),
  fc.tuple(junk, fc.jsonValue({ maxDepth: 1 })).map(([name, value]): Change => addField(name, value)),
);

function addQuery(name: string, value: string): Change {
  return (request) => ({ ...request, target: `${request.target}${request.target.includes('?') ? '&' : '?'}${name}=${value}` });
}

function spoilQuery(position: number, value: string): Change {
  return (request) => {
    const names = request.operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name);
    return addQuery(names[position % names.length] ?? 'unknown', value)(request);
  };
}

function spoilPath(position: number, value: string): Change {
  return (request) => {
    const [path = '', ...query] = request.target.split('?');
    const steps = path.split('/');
    steps[1 + (position % Math.max(1, steps.length - 1))] = value;
    return { ...request, target: [steps.join('/'), ...query].join('?') };
  };
}

function addHeader(name: string, value: string): Change {
  return (request) => ({ ...request, headers: { ...request.headers, [name]: value } });
}

function spoilField(position: number, value: unknown): Change {
  return changeBody((body) => {
    const names = Object.keys(body);
    return { ...body, [names[position % names.length] ?? 'field']: value };
  });
}

function addField(name: string, value: unknown): Change {
  return changeBody((body) => Object.fromEntries([...Object.entries(body), [name, value]]));
}

function changeBody(change: (body: object) => object): Change {
  return (request) => {
    const body = parseObject(request.body);
    return body === undefined ? request : { ...request, body: JSON.stringify(change(body)) };
  };
}

function parseObject(text: string | null): object | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
