import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { StartupError } from '../lib/startup-error.ts';
import { answerClientError } from './client-error.ts';

export type HttpServer = {
  /** Resolves with the address once connections are accepted. Throws StartupError when it cannot be had. */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly url: string }>;
  /**
   * Stops without cutting anyone off: from now on every answer closes its connection, after the drain no new ones are accepted, and what is
   * still open when the deadline has passed too is cut. Resolves when the last connection is gone.
   */
  stop(): Promise<void>;
};

type HttpServerOptions = {
  readonly app: RequestListener;
  readonly host: string;
  readonly port: number;
  /** How long new requests are still taken after `stop`, until balancers have seen that this process is leaving. 0 unless told. */
  readonly drainDelayMs?: number;
  /** How long requests in flight may go on after that. */
  readonly deadlineMs: number;
  /** How long clients may take, see `TIME_LIMITS`. */
  readonly timeLimits?: TimeLimits;
};

type TimeLimits = {
  /** For the headers of a request, and for all of it. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** For what is left of a request that is answered already. */
  readonly leftoverMs: number;
  /** How often slow requests are looked for. */
  readonly checkMs: number;
};

/** Longer than a proxy keeps idle connections (60 s is usual), so that it is never we who close one that it is about to use. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const TIME_LIMITS: TimeLimits = { headersMs: 15_000, requestMs: 30_000, leftoverMs: 2_000, checkMs: 5_000 };
/** A connection on which nothing moves: twice the longest wait that a client may ask for. */
const IDLE_TIMEOUT_MS = 120_000;
const MAX_HEADER_BYTES = 16_384;
/** The shortest drain while anybody is connected: long enough to tell those who are busy to hang up. */
const LINGER_MS = 250;
const SWEEP_INTERVAL_MS = 50;
/** Nobody has come for this long: nobody is at the door. */
const QUIET_MS = 25;
/** The longest that requests are kept waiting for such a moment. */
const MAX_HOLD_MS = 500;

/** Node's HTTP server with limits on every wait, and problem documents for what its parser refuses. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { app, host, port, drainDelayMs = 0, deadlineMs, timeLimits = TIME_LIMITS } = options;
  const inFlight = new Set<ServerResponse>();
  const exchanges = createExchanges(timeLimits.leftoverMs);
  const door = createDoor();
  let isStopping = false;
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    if (isStopping) response.setHeader('Connection', 'close');
    inFlight.add(response);
    response.once('close', () => inFlight.delete(response));
    exchanges.note(request, response);
    door.pass(() => app(request, response));
  };
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      headersTimeout: timeLimits.headersMs,
      requestTimeout: timeLimits.requestMs,
      connectionsCheckingInterval: timeLimits.checkMs,
      maxHeaderSize: MAX_HEADER_BYTES,
      // The app refuses a missing Host itself, with a problem document.
      requireHostHeader: false,
    },
    handle,
  );
  server.timeout = IDLE_TIMEOUT_MS;
  server.on('connection', door.noteArrival);
  server.on('clientError', (error, socket) => {
    if (exchanges.isAnswering(socket)) socket.destroy();
    else answerClientError(error, socket);
  });
  // Node would answer an expectation that it does not know with an empty 417; it is no reason not to serve.
  server.on('checkExpectation', handle);

  let stopped: Promise<void> | undefined;
  return {
    listen: () => listen(server, host, port),
    stop: () => {
      isStopping = true;
      for (const response of inFlight) if (!response.headersSent) response.setHeader('Connection', 'close');
      stopped ??= drain(server, { door, drainDelayMs, deadlineMs });
      return stopped;
    },
  };
}

/** The last exchange of each connection. */
type Exchanges = {
  note(request: IncomingMessage, response: ServerResponse): void;
  /** Whether an answer is on its way, or is out while its request still comes in: nothing else can be said then. */
  isAnswering(socket: Duplex): boolean;
};

function createExchanges(leftoverMs: number): Exchanges {
  const responses = new WeakMap<Duplex, ServerResponse>();
  return {
    note(request, response) {
      const { socket } = request;
      responses.set(socket, response);
      // Node reads the rest of a request that was refused for as long as it comes, and the client is to hear the refusal.
      response.once('finish', () => {
        if (request.complete) return;
        const timer = setTimeout(() => {
          if (!request.complete) socket.destroy();
        }, leftoverMs);
        socket.once('close', () => clearTimeout(timer));
      });
    },
    isAnswering(socket) {
      const response = responses.get(socket);
      return response?.headersSent === true && !(response.writableFinished && response.req.complete);
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

type Draining = { readonly door: Door; readonly drainDelayMs: number; readonly deadlineMs: number };

async function drain(server: Server, { door, drainDelayMs, deadlineMs }: Draining): Promise<void> {
  if (!server.listening) return;
  // `close` cuts idle connections at once, and with them requests that are on the wire just now.
  const isUsed = (await countConnections(server)) > 0;
  await sleep(isUsed ? Math.max(drainDelayMs, LINGER_MS) : drainDelayMs);
  await door.hold();
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  door.release();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_INTERVAL_MS);
  const deadline = setTimeout(() => server.closeAllConnections(), deadlineMs);
  try {
    await closed;
  } finally {
    clearInterval(sweep);
    clearTimeout(deadline);
  }
}

/**
 * Where requests pass. The kernel accepts connections before Node does, and resets those that wait for Node when the listener closes, whatever was
 * sent over them. So requests are held for the moment before: clients who wait for an answer do not connect, and soon nobody waits.
 */
type Door = {
  pass(serve: () => void): void;
  noteArrival(): void;
  /** Keeps what comes from now on. Resolves in a turn of the event loop in which nobody came, after a quiet moment if there is one. */
  hold(): Promise<void>;
  release(): void;
};

function createDoor(): Door {
  let held: (() => void)[] | undefined;
  let arrivals = 0;
  const nobodyCame = async (waiting: Promise<unknown>): Promise<boolean> => {
    const before = arrivals;
    await waiting;
    return arrivals === before;
  };
  return {
    pass(serve) {
      arrivals += 1;
      if (held === undefined) serve();
      else held.push(serve);
    },
    noteArrival() {
      arrivals += 1;
    },
    async hold() {
      held = [];
      const giveUpAt = performance.now() + MAX_HOLD_MS;
      while (performance.now() < giveUpAt && !(await nobodyCame(sleep(QUIET_MS))));
      const giveUpTurnsAt = performance.now() + QUIET_MS;
      while (performance.now() < giveUpTurnsAt && !(await nobodyCame(nextTurn())));
    },
    release() {
      const waiting = held ?? [];
      held = undefined;
      for (const serve of waiting) serve();
    },
  };
}

function countConnections(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.getConnections((error, count) => resolve(error === null ? count : 0));
  });
}
