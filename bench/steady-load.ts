import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What came of a load. */
export type LoadResult = {
  /** The time of each good answer: to what was asked in the first second, in which clients connect, and to all the rest. */
  readonly firstMs: readonly number[];
  readonly timesMs: readonly number[];
  /** How many answers had which status. */
  readonly statuses: Readonly<Record<string, number>>;
};

export type SteadyLoad = {
  readonly url: string;
  readonly key: string;
  readonly perSecond: number;
  readonly seconds: number;
};

const CONNECTIONS = 200;

/** Asks for the portfolio at a steady pace, whatever becomes of the answers, each time for one that nobody asked for before. */
export async function runSteadyLoad({ url, key, perSecond, seconds }: SteadyLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const firstMs: number[] = [];
  const timesMs: number[] = [];
  const statuses: Record<string, number> = {};
  const asked: Promise<void>[] = [];
  const salt = Math.floor(Math.random() * 1e9);
  const startedAt = performance.now();
  for (let sent = 0; sent < perSecond * seconds; sent++) {
    const dueMs = (sent * 1000) / perSecond - (performance.now() - startedAt);
    if (dueMs > 0) await sleep(dueMs);
    const times = sent < perSecond ? firstMs : timesMs;
    asked.push(
      ask(agent, `${url}?min_value=0.${salt}${sent}1`, key).then(({ status, ms }) => {
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === '200') times.push(ms);
      }),
    );
  }
  await Promise.all(asked);
  agent.destroy();
  return { firstMs, timesMs, statuses };
}

function ask(agent: Agent, url: string, key: string): Promise<{ readonly status: string; readonly ms: number }> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    const done = (status: string): void => resolve({ status, ms: performance.now() - startedAt });
    request(url, { agent, headers: { 'X-API-Key': key } }, (response) => {
      response.resume().once('end', () => done(String(response.statusCode)));
    })
      .once('error', () => done('error'))
      .end();
  });
}
