import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a server of this machine, which does to connections what networks do. Settings hold for open connections too. */
export type TcpProxy = {
  readonly port: number;
  /** The address of the server with the proxy in its place. */
  readonly url: string;
  /** Waited before each part is passed on, in either direction. */
  setLatency(ms: number): void;
  /** Passes every part on in pieces of this many bytes. */
  setSliceBytes(bytes: number): void;
  /** Nothing passes, in either direction, and connections stay open; new ones are taken and lead nowhere. */
  pause(): void;
  /** From now on what the server says is lost, while what clients say arrives: a connection that only one side has lost. */
  loseAnswers(): void;
  resume(): void;
  /** Resets every open connection. */
  cut(): void;
  /**
   * Resets a connection as soon as clients' bytes hold this text, once; `isDelivered` says whether the server gets them before that. Resolves
   * when that has happened.
   */
  cutAt(text: string, options: { readonly isDelivered: boolean }): Promise<void>;
  /** Resets every connection once the server has sent this many bytes over it. */
  cutAfterBytes(bytes: number): void;
  openConnections(): number;
  close(): Promise<void>;
};

type Trap = { readonly text: string; readonly isDelivered: boolean; readonly sprung: () => void };
type Settings = {
  latencyMs: number;
  sliceBytes: number;
  maxBytes: number;
  losesAnswers: boolean;
  /** Servers' ends of connections whose answers are lost. */
  readonly muted: WeakSet<Socket>;
  trap: Trap | undefined;
  /** Resolves when traffic may pass. */
  gate: Promise<void>;
};

/** `targetUrl` names host and port of the server, in any scheme. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const settings: Settings = {
    latencyMs: 0,
    sliceBytes: Number.POSITIVE_INFINITY,
    maxBytes: Number.POSITIVE_INFINITY,
    losesAnswers: false,
    muted: new WeakSet(),
    trap: undefined,
    gate: Promise.resolve(),
  };
  let open = (): void => undefined;
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ noDelay: true }, (client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port), noDelay: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      reset(pair);
    };
    for (const socket of pair) socket.on('error', end);
    void forward(client, upstream, (part) => onClientPart(part, { settings, pair, end })).catch(end);
    let sent = 0;
    void forward(upstream, client, async (part) => {
      if (!settings.losesAnswers && !settings.muted.has(upstream)) await passOn(settings, client, part);
      sent += part.length;
      if (sent >= settings.maxBytes) end();
    }).then(() => pairs.delete(pair), end);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const url = new URL(targetUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);
  const cut = (): void => {
    for (const pair of pairs) reset(pair);
    pairs.clear();
  };
  return {
    port,
    url: url.href,
    setLatency(ms) {
      settings.latencyMs = ms;
    },
    setSliceBytes(bytes) {
      settings.sliceBytes = bytes;
    },
    pause() {
      open();
      settings.gate = new Promise((resolve) => {
        open = resolve;
      });
    },
    loseAnswers() {
      settings.losesAnswers = true;
    },
    resume() {
      settings.losesAnswers = false;
      settings.maxBytes = Number.POSITIVE_INFINITY;
      open();
    },
    cut,
    cutAt(text, { isDelivered }) {
      return new Promise((sprung) => {
        settings.trap = { text, isDelivered, sprung };
      });
    },
    cutAfterBytes(bytes) {
      settings.maxBytes = bytes;
    },
    openConnections: () => pairs.size,
    async close() {
      open();
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}

type ClientPart = { readonly settings: Settings; readonly pair: readonly [Socket, Socket]; readonly end: () => void };

async function onClientPart(part: Buffer, { settings, pair: [, upstream], end }: ClientPart): Promise<void> {
  const { trap } = settings;
  if (trap === undefined || !part.includes(trap.text)) return passOn(settings, upstream, part);
  settings.trap = undefined;
  if (trap.isDelivered) {
    // Delivered and acted on, since the server has answered, but the answer goes nowhere.
    const answered = once(upstream, 'data');
    settings.muted.add(upstream);
    await passOn(settings, upstream, part);
    await answered;
  }
  end();
  trap.sprung();
}

async function forward(from: Socket, to: Socket, handle: (part: Buffer) => Promise<void>): Promise<void> {
  for await (const part of from) await handle(part);
  to.end();
}

async function passOn(settings: Settings, to: Socket, part: Buffer): Promise<void> {
  for (let at = 0; at < part.length; at += settings.sliceBytes) {
    if (settings.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, settings.latencyMs));
    await settings.gate;
    if (to.destroyed) return;
    to.write(part.subarray(at, at + settings.sliceBytes));
  }
}

function reset(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.resetAndDestroy();
}
