import { Agent, request } from 'node:http';

/** A crowd of clients that ask one after the other over kept connections, as a well-behaved client does. */
export type Load = {
  readonly counts: { answered: number; readonly failures: string[] };
  /** Resolves when this many were answered in all. */
  untilAnswered(count: number): Promise<void>;
  /** Lets every client end what it does. */
  stop(): Promise<void>;
};

type LoadOptions = {
  /** Where the service is; a client that is refused a connection goes on to the next one, and gives up when all refuse. */
  readonly urls: readonly string[];
  readonly clients: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly next: () => { readonly method?: string; readonly path: string; readonly body?: string };
};

/** A failure is a request that was sent and not answered, or answered with a 5xx. */
export function startLoad({ urls, clients, headers = {}, next }: LoadOptions): Load {
  const counts = { answered: 0, failures: [] as string[] };
  const waiting: { count: number; resolve: () => void }[] = [];
  let isOver = false;
  const one = async (index: number): Promise<void> => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    let at = index;
    let refused = 0;
    while (!isOver && refused < urls.length) {
      const asked = next();
      const outcome = await send(`${urls[at % urls.length]}${asked.path}`, { agent, headers, ...asked });
      if (outcome === 'refused') {
        refused += 1;
        at += 1;
        continue;
      }
      refused = 0;
      if (outcome === 'ok') counts.answered += 1;
      else counts.failures.push(`${asked.method ?? 'GET'} ${asked.path}: ${outcome}`);
      for (const { resolve } of waiting.filter(({ count }) => counts.answered >= count)) resolve();
    }
    agent.destroy();
  };
  const all = Promise.all(Array.from({ length: clients }, (_, index) => one(index)));
  return {
    counts,
    untilAnswered: (count) =>
      new Promise((resolve) => {
        waiting.push({ count, resolve });
      }),
    async stop() {
      isOver = true;
      await all;
    },
  };
}

type Sending = {
  readonly agent: Agent;
  readonly headers: Readonly<Record<string, string>>;
  readonly method?: string;
  readonly body?: string;
};

/** `ok`, `refused` for a connection that could not be had, or what went wrong. */
function send(url: string, { agent, headers: always, method = 'GET', body }: Sending): Promise<string> {
  return new Promise((resolve) => {
    const ofBody = body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const headers = { ...always, ...ofBody };
    const sent = request(url, { agent, method, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () =>
        resolve(
          (response.statusCode ?? 0) < 500
            ? 'ok'
            : `status ${response.statusCode} ${Buffer.concat(parts).toString().slice(0, 300)}`,
        ),
      );
      response.on('error', (error) => resolve(error.message));
    });
    // A connection that was taken back before it was accepted carried nothing either.
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.syscall === 'connect' ? 'refused' : error.message));
    sent.end(body);
  });
}
