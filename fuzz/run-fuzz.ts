import fc from 'fast-check';
import { Pool } from 'undici';
import { type ApiDocument, plainType, readApiDocument } from './api-document.ts';
import { checkAnswer, type FuzzAnswer } from './check-answer.ts';
import { createMemory } from './memory.ts';
import { type FuzzRequest, requestArbitrary } from './request-arbitrary.ts';

export type FuzzFinding = { readonly request: FuzzRequest; readonly status: number | null; readonly faults: readonly string[] };

export type FuzzReport = {
  readonly requests: number;
  /** How many answers of each hundred of statuses: `2xx` to a number. */
  readonly byClass: ReadonlyMap<string, number>;
  /** Operations that gave a good answer at least once, and those that never did. */
  readonly reached: ReadonlySet<string>;
  readonly unreached: readonly string[];
  /** Answers that are not as documented, and requests that got none. */
  readonly findings: readonly FuzzFinding[];
};

type FuzzOptions = {
  readonly url: string;
  readonly requests: number;
  readonly seed: number;
  /** Sent with some of the requests; others go without. */
  readonly keys: readonly { readonly id: string; readonly key: string }[];
  /** Texts that mean something to this service, by the kind of thing that they name. */
  readonly known: Readonly<Record<string, readonly string[]>>;
};

const IN_FLIGHT = 12;
/** Longer than anything may take that is asked for here. */
const ANSWER_TIMEOUT_MS = 90_000;

/** Asks a service what its own document says can be asked, and much that cannot, and holds every answer against the document. */
export async function runFuzz({ url, requests, seed, keys, known }: FuzzOptions): Promise<FuzzReport> {
  const pool = new Pool(url, { connections: IN_FLIGHT, headersTimeout: ANSWER_TIMEOUT_MS, bodyTimeout: ANSWER_TIMEOUT_MS });
  const served = await pool.request({ method: 'GET', path: '/api/v1/openapi.json' });
  const document = readApiDocument(await served.body.json());
  const memory = createMemory({ known, spared: keys.map(({ id }) => id) });
  const tally = createTally(document);
  const planned = fc.sample(requestArbitrary(document), { numRuns: requests, seed }).values();
  const work = async (): Promise<void> => {
    for (const plan of planned) {
      const request = memory.fill(plan);
      const answer = await send(pool, request, keys).catch((error: unknown) => String(error));
      if (typeof answer === 'string') tally.addSilence(request, answer);
      else {
        tally.add(request, answer, checkAnswer(document, request, answer));
        if (answer.status < 300) memory.note(request.target.split('?')[0] ?? '', parse(answer.text), header(answer, 'etag'));
      }
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, work));
  await pool.destroy();
  return tally.report();
}

/** What to look at, in a few lines. */
export function describeFinding({ request, status, faults }: FuzzFinding): string {
  const { method, target, headers, body } = request;
  const sent = `${JSON.stringify(headers)} ${body ?? ''}`;
  return `${method} ${target.slice(0, 500)} -> ${status}\n  ${faults.slice(0, 5).join('\n  ')}\n  ${sent.slice(0, 1000)}`;
}

async function send(
  pool: Pool,
  { method, target, headers, body, keyIndex }: FuzzRequest,
  keys: FuzzOptions['keys'],
): Promise<FuzzAnswer> {
  const key = keyIndex === null ? undefined : keys[keyIndex % keys.length]?.key;
  const answer = await pool.request({
    method: toMethod(method),
    path: target,
    headers: { ...(key === undefined ? {} : { 'x-api-key': key }), ...headers },
    body,
  });
  const found = { status: answer.statusCode, headers: answer.headers };
  if (plainType(String(answer.headers['content-type'])) !== 'text/event-stream')
    return { ...found, text: await answer.body.text() };
  // It never ends by itself.
  for await (const part of answer.body) return { ...found, text: String(part) };
  return { ...found, text: '' };
}

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE'] as const;

function toMethod(text: string): (typeof METHODS)[number] {
  return METHODS.find((method) => method === text) ?? 'GET';
}

type Tally = {
  add(request: FuzzRequest, answer: FuzzAnswer, faults: readonly string[]): void;
  /** For a request without an answer. */
  addSilence(request: FuzzRequest, why: string): void;
  report(): FuzzReport;
};

function createTally({ operations }: ApiDocument): Tally {
  const byClass = new Map<string, number>();
  const reached = new Set<string>();
  const findings: FuzzFinding[] = [];
  let requests = 0;
  return {
    add(request, { status }, faults) {
      requests += 1;
      const name = `${Math.floor(status / 100)}xx`;
      byClass.set(name, (byClass.get(name) ?? 0) + 1);
      const { method, path } = request.operation;
      if (status < 300 && request.method === method) reached.add(`${method} ${path}`);
      if (faults.length > 0) findings.push({ request, status, faults });
    },
    addSilence(request, why) {
      requests += 1;
      findings.push({ request, status: null, faults: [why] });
    },
    report: () => ({
      ...{ requests, byClass, reached, findings },
      unreached: operations.map(({ method, path }) => `${method} ${path}`).filter((name) => !reached.has(name)),
    }),
  };
}

function header({ headers }: FuzzAnswer, name: string): string | undefined {
  const value = headers[name];
  return typeof value === 'string' ? value : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
