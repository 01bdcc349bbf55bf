import { z } from 'zod';
import { AppError, type RequestIssue } from '../domain/errors.ts';

type RequestPart = 'path' | 'query' | 'body';

/** Most faults that are looked at; a body of a megabyte can hold very many. */
const MAX_ISSUES = 20;
const MAX_POINTER_LENGTH = 200;

/** Parses one part of a request. Throws invalid_request that names every fault by its place, never by its value. */
export function parsePart<Schema extends z.ZodType>(schema: Schema, input: unknown, part: RequestPart): z.output<Schema> {
  if (part === 'body' && input === undefined && !schema.safeParse(undefined).success) {
    throw new AppError('invalid_request', 'This request needs a JSON body.');
  }
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.slice(0, MAX_ISSUES).flatMap((issue) => toRequestIssues(issue, part));
  const detail = issues.length === 1 ? issues[0]?.message : undefined;
  throw new AppError('invalid_request', detail ?? 'Several parts of the request are not valid.', { issues });
}

function toRequestIssues(issue: z.core.$ZodIssue, part: RequestPart): RequestIssue[] {
  if (issue.code !== 'unrecognized_keys') {
    return [{ pointer: toPointer([part, ...issue.path]), code: issue.code, message: issue.message }];
  }
  const message = part === 'query' ? 'There is no such query parameter here.' : 'There is no such field here.';
  return issue.keys.slice(0, MAX_ISSUES).map((key) => ({
    pointer: toPointer([part, ...issue.path, key]),
    code: 'unknown_key',
    message,
  }));
}

function toPointer(path: readonly PropertyKey[]): string {
  const pointer = path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return pointer.slice(0, MAX_POINTER_LENGTH);
}

/**
 * The query of a request target as an object for `schema`: parameters that it knows as lists are gathered from repeats and split at commas,
 * all others have to come once. Throws invalid_request.
 */
export function readQuery(search: string, schema: z.ZodObject): Readonly<Record<string, string | string[]>> {
  const values: Record<string, string | string[]> = Object.create(null);
  const sent = new URLSearchParams(search);
  for (const name of new Set(sent.keys())) {
    const all = sent.getAll(name);
    const [first = ''] = all;
    if (isList(schema.shape[name])) values[name] = all.flatMap((value) => value.split(','));
    else if (all.length === 1) values[name] = first;
    else {
      const issue = { pointer: toPointer(['query', name]), code: 'repeated', message: 'This parameter may be given once only.' };
      throw new AppError('invalid_request', issue.message, { issues: [issue] });
    }
  }
  return values;
}

function isList(schema: unknown): boolean {
  return schema instanceof z.ZodOptional ? isList(schema.unwrap()) : schema instanceof z.ZodArray;
}
