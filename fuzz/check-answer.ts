import { type ApiDocument, type Operation, plainType } from './api-document.ts';
import type { FuzzRequest } from './request-arbitrary.ts';

export type FuzzAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
};

/** Answers that any path may give, whatever method it is asked with. */
const ANYWHERE: readonly number[] = [400, 404, 405, 408, 413, 414, 415, 429, 431];
const STACK = /\n\s+at .+:\d+:\d+/;

/** What is wrong with an answer by the document; none when it is as promised. */
export function checkAnswer(
  document: ApiDocument,
  request: Pick<FuzzRequest, 'method' | 'target'>,
  answer: FuzzAnswer,
): readonly string[] {
  const { status, headers, text } = answer;
  const faults: string[] = [];
  if (status >= 500) faults.push(`a ${status}`);
  if (STACK.test(text)) faults.push('it holds a stack');
  if (headers['x-content-type-options'] !== 'nosniff') faults.push('no nosniff');
  if (headers['x-request-id'] === undefined) faults.push('no request id');
  if (request.method === 'HEAD' || status === 304) return faults;
  const type = plainType(String(headers['content-type'] ?? ''));
  const operation = findOperation(document, request);
  if (operation !== undefined) return [...faults, ...checkDocumented(operation, { status, type, text })];
  if (type === 'application/problem+json') faults.push(...document.checkProblem(parseJson(text)));
  if (type !== 'application/problem+json' && status >= 400) faults.push(`the error is ${type}`);
  if (status >= 400 && !ANYWHERE.includes(status)) faults.push(`${status} where there is nothing`);
  return faults;
}

function checkDocumented(
  { answers }: Operation,
  { status, type, text }: { readonly status: number; readonly type: string; readonly text: string },
): readonly string[] {
  const kinds = answers.get(status);
  if (kinds === undefined) return [`${status} is not documented`];
  if (text === '' && kinds.size === 0) return [];
  const check = kinds.get(type);
  if (check === undefined) return [`${status} as ${type} is not documented`];
  return check === null ? [] : check(parseJson(text)).map((fault) => `${status}: ${fault}`);
}

/** The operation that a request really is for, which faults in it may have changed. */
function findOperation(
  { operations }: ApiDocument,
  { method, target }: Pick<FuzzRequest, 'method' | 'target'>,
): Operation | undefined {
  const [path = ''] = target.split('?');
  const fixed = operations.filter((each) => each.path === path);
  const candidates = fixed.length > 0 ? fixed : operations.filter((each) => toPattern(each.path).test(path));
  return candidates.find((each) => each.method === method);
}

const patterns = new Map<string, RegExp>();

function toPattern(path: string): RegExp {
  const pattern = patterns.get(path) ?? new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
  patterns.set(path, pattern);
  return pattern;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
