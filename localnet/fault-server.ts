import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGzip } from 'node:zlib';

/** How an endpoint can misbehave. `ok` does not; `status-NNN` answers with that status. */
export type FaultMode = keyof typeof modes | `status-${number}`;

/** A real HTTP server of JSON-RPC that misbehaves on demand, alone or in front of a real node. */
export type FaultServer = {
  /** The endpoint with this fault for good; without one, the endpoint whose fault `setMode` chooses. A path put behind it changes nothing. */
  url(mode?: FaultMode): string;
  /** What the endpoint of `url()` does from now on. It begins with `ok`. */
  setMode(mode: FaultMode): void;
  /** Requests that arrived since the start. */
  requests(): number;
  /** Requests that are neither answered nor cut off. */
  openResponses(): number;
  /** Connections that are open on this side, idle ones included. */
  openSockets(): Promise<number>;
  /** Resolves when no response is open: with a client that lets go of what it refused, soon. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
};

export type FaultServerOptions = {
  /** The real node that serves what is not at fault; without one, each call is answered with its first parameter. */
  readonly upstreamUrl?: string;
  /** Waited before every answer. */
  readonly delayMs?: number;
};

/** What `eth_chainId` and `getGenesisHash` say without a node behind. */
export const CANNED_CHAIN_ID = 31_337;
const CANNED_GENESIS_HASH = 'GenesisHashOfTheFau1tServer11111111111111111';

type Call = { readonly id: unknown; readonly method: string; readonly params: readonly unknown[] };
type Exchange = {
  readonly response: ServerResponse;
  /** One call, or many of a batch. */
  readonly payload: Call | readonly Call[];
  /** The answers of the node, in order. */
  readonly serve: (calls: readonly Call[]) => Promise<readonly unknown[]>;
};

const SELF = 'now';
const HUGE_BYTES = 100 * 1024 * 1024;
const DRIP_INTERVAL_MS = 200;
const MOST_OF_A_BATCH = 10;
const MOST_BLOCKS = 10;
const HTML = `<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>${'<p>error 1015</p>'.repeat(50)}</body></html>`;

/** Answers each call, in the shape of the request, after `change` had its way with the answers. */
function answering(change: (answers: readonly unknown[], calls: readonly Call[]) => readonly unknown[]) {
  return async ({ response, payload, serve }: Exchange): Promise<void> => {
    const calls = listOf(payload);
    const answers = change(await serve(calls), calls);
    sendJson(response, 200, Array.isArray(payload) ? answers : answers[0]);
  };
}

/** A limit that says when to come back. */
function limited(retryAfter: () => string | undefined) {
  return ({ response }: Exchange): void => {
    const header = retryAfter();
    if (header !== undefined) response.setHeader('retry-after', header);
    sendJson(response, 429, { jsonrpc: '2.0', id: null, error: { code: 429, message: 'Too Many Requests' } });
  };
}

/** Fails every second call of a batch, and a call that stands alone. */
function half(code: number) {
  return answering((answers, calls) =>
    answers.map((answer, index) =>
      index % 2 === 0 && calls.length > 1 ? answer : errorOf(calls[index], code, 'limit exceeded'),
    ),
  );
}

/** Serves single calls, and of batches only those that `takes` lets pass. */
function refusingBatches(refuse: (exchange: Exchange) => void, takes: (count: number) => boolean = () => false) {
  return async (exchange: Exchange): Promise<void> => {
    const { payload } = exchange;
    if (Array.isArray(payload) && !takes(payload.length)) refuse(exchange);
    else await modes.ok(exchange);
  };
}

const modes = {
  ok: answering((answers) => answers),
  hang: () => undefined,
  drip: async ({ response }: Exchange) => {
    response.setHeader('content-type', 'application/json');
    for (const byte of `{"jsonrpc":"2.0","id":1,"result":"${'0'.repeat(1000)}"}`) {
      if (response.destroyed) return;
      response.write(byte);
      await sleep(DRIP_INTERVAL_MS);
    }
    response.end();
  },
  html200: ({ response }: Exchange) => sendHtml(response, 200),
  html503: ({ response }: Exchange) => sendHtml(response, 503),
  huge: ({ response }: Exchange) => pipeline(endless, response),
  bomb: ({ response }: Exchange) => {
    response.setHeader('content-encoding', 'gzip');
    return pipeline(endless, createGzip(), response);
  },
  'huge-declared': ({ response }: Exchange) => {
    response.setHeader('content-length', HUGE_BYTES);
    return pipeline(endless, response);
  },
  redirect: ({ response }: Exchange) => {
    response.writeHead(302, { location: '/ok' }).end();
  },
  'wrong-chain': answering((answers, calls) =>
    answers.map((answer, index) => {
      const { id, method } = calls[index] ?? {};
      if (method === 'eth_chainId') return { jsonrpc: '2.0', id, result: '0x89' };
      return method === 'getGenesisHash' ? { jsonrpc: '2.0', id, result: 'An0therC1uster' } : answer;
    }),
  ),
  half: half(-32005),
  'half-429': half(429),
  // What hosts say to those who ask for an old state: all else is served.
  'no-past': ({ response, payload, serve }: Exchange) =>
    withoutStates({ response, payload, serve }, 403, -32602, 'Archive requests require a personal token.'),
  'pruned-node': ({ response, payload, serve }: Exchange) =>
    withoutStates({ response, payload, serve }, 200, -32000, 'missing trie node 0abc (path ) state 0xdef is not available'),
  'rpc-429': answering((_, calls) => calls.map((call) => errorOf(call, 429, 'compute units per second exceeded'))),
  'batch-refused': refusingBatches(({ response }) => sendJson(response, 200, errorOf(undefined, -32600, 'Invalid Request'))),
  'batch-413': refusingBatches(({ response }) => sendHtml(response, 413)),
  'batch-400': refusingBatches(({ response }) => sendHtml(response, 400)),
  'batch-null-id': refusingBatches(({ response }) => sendJson(response, 200, [errorOf(undefined, -32600, 'no batches')])),
  'batch-of-10': refusingBatches(
    ({ response }) => sendJson(response, 200, errorOf(undefined, -32600, 'batch too large: limit is 10')),
    (count) => count <= MOST_OF_A_BATCH,
  ),
  'narrow-413': async (exchange: Exchange) => {
    const isWide = listOf(exchange.payload).some(({ params: [filter] }) => blocksOf(filter) > MOST_BLOCKS);
    const refusal = errorOf(listOf(exchange.payload)[0], -32614, `eth_getLogs is limited to a ${MOST_BLOCKS} range`);
    if (isWide) sendJson(exchange.response, 413, refusal);
    else await modes.ok(exchange);
  },
  r429: limited(() => undefined),
  'r429-seconds': limited(() => '5'),
  'r429-date': limited(() => new Date(Date.now() + 10_000).toUTCString()),
  'r429-3600': limited(() => '3600'),
  'r429-0': limited(() => '0'),
  'r429-garbage': limited(() => 'soon'),
  'r429-negative': limited(() => '-5'),
  truncated: ({ response }: Exchange) => {
    response.setHeader('content-type', 'application/json').end('{"jsonrpc":"2.0","id":1,"result":"0x12');
  },
  'wrong-ids': answering((answers) => answers.map((answer) => withId(answer, 987_654))),
  'missing-ids': answering((answers) => answers.slice(0, -1)),
  'duplicate-ids': answering((answers) => [...answers, ...answers.slice(0, 1)]),
  reordered: answering((answers) => answers.toReversed()),
  reset: ({ response }: Exchange) => {
    response.socket?.resetAndDestroy();
  },
  cut: async ({ response }: Exchange) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"jsonrpc":"2.0","id":1,"result":"0x12', () => response.destroy());
  },
} satisfies Record<string, (exchange: Exchange) => Promise<void> | void>;

/** Refuses what is asked of a state, and serves what is asked of blocks. */
async function withoutStates(exchange: Exchange, status: number, code: number, message: string): Promise<void> {
  const calls = listOf(exchange.payload);
  const asksState = calls.some(({ method }) => method === 'eth_call' || method === 'eth_getBalance');
  if (!asksState) return modes.ok(exchange);
  const errors = calls.map((call) => errorOf(call, code, message));
  sendJson(exchange.response, status, Array.isArray(exchange.payload) ? errors : errors[0]);
}

/** Starts the server on a free port of this machine. */
export async function startFaultServer({ upstreamUrl, delayMs = 0 }: FaultServerOptions = {}): Promise<FaultServer> {
  let current: FaultMode = 'ok';
  let requests = 0;
  const open = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    requests += 1;
    open.add(response);
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0) server.emit('quiet');
    });
    const [, segment = ''] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
    const mode = segment === SELF ? current : segment;
    // A client that goes away in the middle is what this server is for.
    handle(request, response, { mode, upstreamUrl, delayMs }).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: (mode) => `http://127.0.0.1:${port}/${mode ?? SELF}`,
    setMode: (mode) => {
      current = mode;
    },
    requests: () => requests,
    openResponses: () => open.size,
    openSockets: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
      }),
    async allClosed() {
      if (open.size > 0) await once(server, 'quiet');
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

type Handling = { readonly mode: string; readonly upstreamUrl: string | undefined; readonly delayMs: number };

async function handle(request: IncomingMessage, response: ServerResponse, options: Handling): Promise<void> {
  const body = Buffer.concat(await request.toArray()).toString();
  if (options.delayMs > 0) await sleep(options.delayMs);
  const status = /^status-(\d{3})$/.exec(options.mode)?.[1];
  if (status !== undefined) return sendHtml(response, Number(status));
  const fault = Object.entries(modes).find(([name]) => name === options.mode)?.[1];
  if (fault === undefined) return sendHtml(response, 404);
  const payload = body === '' ? [] : JSON.parse(body);
  const serve = async (calls: readonly Call[]): Promise<readonly unknown[]> =>
    options.upstreamUrl === undefined ? calls.map(cannedAnswer) : askNode(options.upstreamUrl, calls);
  await fault({ response, payload, serve });
}

function cannedAnswer({ id, method, params }: Call): unknown {
  if (method === 'eth_chainId') return { jsonrpc: '2.0', id, result: `0x${CANNED_CHAIN_ID.toString(16)}` };
  if (method === 'getGenesisHash') return { jsonrpc: '2.0', id, result: CANNED_GENESIS_HASH };
  return { jsonrpc: '2.0', id, result: params[0] ?? null };
}

async function askNode(url: string, calls: readonly Call[]): Promise<readonly unknown[]> {
  const body = JSON.stringify(calls);
  const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const items: unknown = await answer.json();
  return Array.isArray(items) ? items : [];
}

function listOf(payload: Call | readonly Call[]): readonly Call[] {
  return 'method' in payload ? [payload] : payload;
}

/** How many blocks a query spans; 0 for what is none. */
function blocksOf(filter: unknown): number {
  if (typeof filter !== 'object' || filter === null || !('fromBlock' in filter) || !('toBlock' in filter)) return 0;
  return Number(filter.toBlock) - Number(filter.fromBlock) + 1;
}

function errorOf(call: Call | undefined, code: number, message: string): unknown {
  return { jsonrpc: '2.0', id: call?.id ?? null, error: { code, message } };
}

function withId(answer: unknown, id: number): unknown {
  return typeof answer === 'object' ? { ...answer, id } : answer;
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function sendHtml(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'text/html' }).end(HTML);
}

/** More than anybody should take, as fast as the other side reads. */
function* endless(): Generator<Buffer> {
  const part = Buffer.alloc(64 * 1024, 0x20);
  for (let sent = 0; sent < HUGE_BYTES; sent += part.length) yield part;
}
