import { Agent, type buildConnector, request } from 'undici';
import { AppError, type UpstreamErrorCode } from '../domain/errors.ts';
import { startDeadline } from './deadline.ts';
import { maskUrl } from './mask-url.ts';

export type HttpRequest = {
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Total time, from the connect to the last byte. */
  readonly timeoutMs: number;
  /** Largest body taken. */
  readonly maxBytes: number;
  /** Only the status counts: whatever else comes is dropped unread, and the body is told as empty. */
  readonly isBodyDropped?: boolean;
};

export type HttpResponse = { readonly status: number; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/**
 * Calls servers that are not ours. Redirects and encoded bodies are refused, time and size are capped as totals, and a refused answer's socket is
 * closed. Every failure is an AppError with an upstream code whose text and `provider` hold no more of the URL than its masked host.
 */
export type HttpClient = {
  /** Resolves with any status but a redirect, since RPC servers put errors worth reading into 4xx and 5xx bodies: see `failedStatus`. */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
};

const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS_PER_ORIGIN = 16;
/** What another side may make us wait at the most. */
const MAX_RETRY_AFTER_MS = 30_000;

/** `connect`: who opens the connections, if not the system alone. */
export function createHttpClient({ connect }: { readonly connect?: buildConnector.connector } = {}): HttpClient {
  const agent = new Agent({
    connections: CONNECTIONS_PER_ORIGIN,
    connect: connect ?? { timeout: CONNECT_TIMEOUT_MS },
    // The total timeout of each request is the only clock.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: (options) => send(agent, options),
    close: () => agent.destroy(),
  };
}

async function send(agent: Agent, options: HttpRequest): Promise<HttpResponse> {
  const provider = maskUrl(options.url);
  if (options.signal.aborted) throw new AppError('upstream_aborted', 'The call was given up before it began.', { provider });
  const deadline = startDeadline(options.signal, options.timeoutMs);
  try {
    const response = await request(options.url, {
      dispatcher: agent,
      method: options.method ?? 'GET',
      headers: {
        accept: 'application/json',
        'accept-encoding': 'identity',
        'user-agent': 'chainfolio',
        ...credentialsOf(options.url),
        ...options.headers,
      },
      body: options.body ?? null,
      signal: deadline.signal,
    });
    // A body that is dropped unread reports that as an error, which would end the process if nobody took it.
    response.body.on('error', () => undefined);
    const headers = flattenHeaders(response.headers);
    const drop = (): unknown => response.body.destroy();
    refuseRedirect(response.statusCode, provider, drop);
    if (options.isBodyDropped === true) {
      drop();
      return { status: response.statusCode, headers, body: '' };
    }
    refuseByHead(headers, { provider, maxBytes: options.maxBytes }, drop);
    const body = await readBody(response.body, options.maxBytes, provider);
    return { status: response.statusCode, headers, body };
  } catch (error) {
    throw translate(error, { provider, timedOut: deadline.isPast, aborted: options.signal.aborted });
  } finally {
    deadline.end();
  }
}

/** The user and password of a URL, which undici leaves out, as the header that carries them. */
function credentialsOf(url: string): Readonly<Record<string, string>> {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return {};
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}

function refuseRedirect(status: number, provider: string, drop: () => unknown): void {
  if (status < 300 || status >= 400) return;
  drop();
  throw new AppError('upstream_redirect', `${provider} answered with a redirect.`, { provider });
}

/** What the headers alone rule out. `drop` closes the socket, so that no unread body lingers on it. */
function refuseByHead(
  headers: Readonly<Record<string, string>>,
  { provider, maxBytes }: { provider: string; maxBytes: number },
  drop: () => unknown,
): void {
  const refuse = (code: UpstreamErrorCode, message: string): never => {
    drop();
    throw new AppError(code, message, { provider });
  };
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    refuse('upstream_encoding', `${provider} encoded its answer against our request.`);
  if (Number(headers['content-length'] ?? 0) > maxBytes)
    refuse('upstream_too_large', `${provider} sent a larger answer than allowed.`);
}

async function readBody(
  body: AsyncIterable<Buffer> & { destroy(): unknown },
  maxBytes: number,
  provider: string,
): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    // Leaving the loop destroys the stream, and with it the socket.
    if (size > maxBytes) throw new AppError('upstream_too_large', `${provider} sent a larger answer than allowed.`, { provider });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function translate(
  error: unknown,
  { provider, timedOut, aborted }: { provider: string; timedOut: boolean; aborted: boolean },
): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  // Whoever gave up first: the caller, or all of us by stopping.
  if ((aborted && !timedOut) || code === 'UND_ERR_DESTROYED' || code === 'UND_ERR_CLOSED') {
    return new AppError('upstream_aborted', `The call to ${provider} was given up.`, { provider });
  }
  if (timedOut || code === 'UND_ERR_CONNECT_TIMEOUT') {
    return new AppError('upstream_timeout', `${provider} did not answer in time.`, { provider });
  }
  // The cause may quote the URL, so only its code is kept.
  return new AppError('upstream_unreachable', `${provider} could not be reached (${code}).`, { provider });
}

function errorCode(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorCode(error.errors[0]);
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return 'unknown error';
}

function flattenHeaders(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

/** The error that a status other than 2xx stands for, undefined for a 2xx. */
export function failedStatus({ status, headers }: HttpResponse, url: string): AppError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const provider = maskUrl(url);
  const retryAfterMs = parseRetryAfter(headers['retry-after']);
  const options = retryAfterMs === undefined ? { provider } : { provider, retryAfterMs };
  return new AppError(codeOfStatus(status), `${provider} answered with status ${status}.`, options);
}

function codeOfStatus(status: number): UpstreamErrorCode {
  if (status === 401 || status === 402 || status === 403) return 'upstream_unauthorized';
  if (status === 429) return 'upstream_rate_limited';
  if (status === 413) return 'upstream_too_large';
  if (status === 404 || status === 405 || status === 501) return 'upstream_unsupported';
  return 'upstream_status';
}

type RetryAfterOptions = { readonly now?: number; readonly maxMs?: number };

/** The wait a `Retry-After` header asks for, in whole seconds or as a date, between 0 and `maxMs` (30 seconds unless told); undefined for anything else. */
export function parseRetryAfter(
  header: string | undefined,
  { now = Date.now(), maxMs = MAX_RETRY_AFTER_MS }: RetryAfterOptions = {},
): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const waitMs = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : parseHttpDate(text) - now;
  if (Number.isNaN(waitMs)) return undefined;
  return Math.min(Math.max(waitMs, 0), maxMs);
}

/** Only the date form that HTTP prescribes: Date.parse alone would take `-5` for a year. */
function parseHttpDate(text: string): number {
  return /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text) ? Date.parse(text) : Number.NaN;
}
