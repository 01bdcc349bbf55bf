import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy in front of a server of this machine, which does to connections what networks do. Settings hold for open connections too. */
export type TcpProxy = {
  readonly port: number;
  /** The address of the server with the proxy in its place. */
  readonly url: string;
  /** Nothing passes, in either direction, and connections stay open; new ones are taken and lead nowhere. */
  pause(): void;
  /** From now on what the server says is lost, while what clients say arrives: a connection that only one side has lost. */
  loseAnswers(): void;
  resume(): void;
  /** Resets every open connection. */
  cut(): void;
  /**
   * Resets a connection as soon as its client's bytes hold this text after another one, once; `isDelivered` says whether the server gets them before that.
   * Resolves when that has happened.
   */
  cutAt(text: string, options: Pick<Trap, 'after' | 'isDelivered'>): Promise<void>;
  openConnections(): number;
  close(): Promise<void>;
};

type Trap = { readonly text: string; readonly after: string; readonly isDelivered: boolean; readonly sprung: () => void };
type Settings = {
  losesAnswers: boolean;
  /** Servers' ends of connections whose answers are lost. */
  readonly muted: WeakSet<Socket>;
  trap: Trap | undefined;
  /** Servers' ends of connections that have carried what the trap waits for first. */
  readonly armed: WeakSet<Socket>;
  /** Resolves when traffic may pass. */
  gate: Promise<void>;
};

/** `targetUrl` names host and port of the server, in any scheme. */
export async function startTcpProxy(targetUrl: string): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const settings: Settings = {
    losesAnswers: false,
    muted: new WeakSet(),
    trap: undefined,
    armed: new WeakSet(),
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
    void forward(upstream, client, async (part) => {
      if (!settings.losesAnswers && !settings.muted.has(upstream)) await passOn(settings, client, part);
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
      open();
    },
    cut,
    cutAt(text, options) {
      return new Promise((sprung) => {
        settings.trap = { text, ...options, sprung };
      });
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
  if (trap !== undefined && part.includes(trap.after)) settings.armed.add(upstream);
  if (trap === undefined || !settings.armed.has(upstream) || !part.includes(trap.text)) return passOn(settings, upstream, part);
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

async function passOn({ gate }: Settings, to: Socket, part: Buffer): Promise<void> {
  await gate;
  if (!to.destroyed) to.write(part);
}

function reset(pair: readonly [Socket, Socket]): void {
  for (const socket of pair) socket.resetAndDestroy();
}
