import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../lib/startup-error.ts';
import { answerClientError } from './client-error.ts';

export type HttpServer = {
  /** Resolves with the address once connections are accepted. Throws StartupError when it cannot be had. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
  /**
   * Stops without cutting anyone off: from now on every answer closes its connection, then no new ones are accepted, and what is still
   * open after the deadline is cut. Resolves when the last connection is gone.
   */
  stop(): Promise<void>;
};

type HttpServerOptions = {
  readonly app: RequestListener;
  readonly host: string;
  readonly port: number;
  /** How long requests in flight may go on after `stop`. */
  readonly deadlineMs: number;
};

/** Longer than a proxy keeps idle connections (60 s is usual), so that it is never we who close one that it is about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const HEADERS_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 30_000;
/** How often slow requests are looked for. */
const CHECK_INTERVAL_MS = 5_000;
/** A connection on which nothing moves: twice the longest wait that a client may ask for. */
const IDLE_TIMEOUT_MS = 120_000;
const MAX_HEADER_BYTES = 16_384;
/** How long requests that are on their way find an open door after `stop`. */
const LINGER_MS = 250;
const SWEEP_INTERVAL_MS = 50;

/** Node's HTTP server with limits on every wait, and problem documents for what its parser refuses. */
export function createHttpServer({ app, host, port, deadlineMs }: HttpServerOptions): HttpServer {
  const inFlight = new Set<ServerResponse>();
  let isStopping = false;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isStopping) response.setHeader('Connection', 'close');
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
    app(request, response);
  };
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The app refuses a missing Host itself, with a problem document.
      requireHostHeader: false,
    },
    handle,
  );
  server.timeout = IDLE_TIMEOUT_MS;
  server.on('clientError', answerClientError);
  // Node would answer an expectation that it does not know with an empty 417; it is no reason not to serve.
  server.on('checkExpectation', handle);

  let stopped: Promise<void> | undefined;
  return {
    listen: () => listen(server, host, port),
    stop: () => {
      isStopping = true;
      for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close');
      stopped ??= drain(server, deadlineMs);
      return stopped;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<{ host: string; port: number; url: string }> {
  return new Promise((resolve, reject) => {
    const refuse = (error: NodeJS.ErrnoException): void => reject(new StartupError(describeListenError(error, host, port)));
    server.once('error', refuse);
    server.listen({ host, port }, () => {
      server.off('error', refuse);
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ host, port: bound, url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}` });
    });
  });
}

function describeListenError({ code }: NodeJS.ErrnoException, host: string, port: number): string {
  if (code === 'EADDRINUSE') return `PORT: another process listens on ${host}:${port} already`;
  if (code === 'EACCES') return `PORT: this user may not listen on ${host}:${port}`;
  return `HOST: cannot listen on ${host}:${port} (${code ?? 'unknown error'})`;
}

async function drain(server: Server, deadlineMs: number): Promise<void> {
  if (!server.listening) return;
  // `close` cuts idle connections at once, and with them requests that are on the wire just now.
  if ((await countConnections(server)) > 0) await sleep(LINGER_MS);
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  try {
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((error, count) => resolve(error === null ? count : 0));
  });
}
