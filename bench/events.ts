import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordEvents } from '../src/db/events/record-events.ts';
import { inTransaction } from '../src/db/transaction.ts';
import { DEFAULT_TENANT_ID } from '../src/domain/tenant.ts';
import { startBenchDatabase } from './bench-database.ts';
import type { BenchLine } from './bench-line.ts';
import { startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';

const CLIENTS = [1_000, 2_000];
const PER_SECOND = 10;
const SECONDS = 10;
const TIMEOUT_MS = 30_000;

/** Readers of live updates on one instance, ten events a second for each: from when an event is committed to when a reader has it, and what that costs. The readers share the other core with the database. */
export async function benchEvents(): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  const lines: BenchLine[] = [];
  try {
    for (const clients of CLIENTS) lines.push(...(await benchClients(database, clients)));
    return lines;
  } finally {
    await database.close();
  }
}

async function benchClients(
  { url, tenants }: Pick<Awaited<ReturnType<typeof startBenchDatabase>>, 'url' | 'tenants'>,
  clients: number,
): Promise<readonly BenchLine[]> {
  const service = await startServerProcess({
    script: 'src/main.ts',
    env: serviceEnvironment(url),
    readyPath: '/health/live',
  });
  const readers: Reader[] = [];
  try {
    while (readers.length < clients)
      readers.push(...(await Promise.all(Array.from({ length: 50 }, () => openReader(service.url)))));
    const committed = new Map<number, number>();
    const before = service.cpuMs();
    const startedAt = performance.now();
    for (let number = 0; number < PER_SECOND * SECONDS; number++) {
      await sleep(Math.max(0, startedAt + (number * 1000) / PER_SECOND - performance.now()));
      await inTransaction(tenants.of(DEFAULT_TENANT_ID), (trx) =>
        recordEvents(trx, DEFAULT_TENANT_ID, [{ type: 'snapshot.taken', data: { number } }]),
      );
      committed.set(number, performance.now());
    }
    const giveUpAt = performance.now() + TIMEOUT_MS;
    while (readers.some(({ heard }) => heard.size < committed.size) && performance.now() < giveUpAt) await sleep(10);
    const seconds = (performance.now() - startedAt) / 1000;
    const cpu = (service.cpuMs() - before) / 1000 / seconds;
    const delays = readers
      .flatMap(({ heard }) => [...heard].map(([number, at]) => at - (committed.get(number) ?? Number.NaN)))
      .sort((a, b) => a - b);
    const name = `events.${clients}`;
    const line = (what: string, value: number, unit: string): BenchLine => ({
      name: `${name}.${what}`,
      value,
      unit,
      ratio: null,
    });
    return [
      line('lost', clients * committed.size - delays.length, 'events'),
      line('p50', delays[Math.floor(delays.length / 2)] ?? Number.NaN, 'ms'),
      line('p99', delays[Math.floor(delays.length * 0.99)] ?? Number.NaN, 'ms'),
      line('cpu', cpu, 'cores'),
      line('rss', service.rssMb(), 'MB'),
    ];
  } finally {
    for (const { socket } of readers) socket.destroy();
    await service.stop();
  }
}

/** When it heard of each event, by its number. */
type Reader = { readonly socket: Socket; readonly heard: ReadonlyMap<number, number> };

/** A connection of its own, read as plainly as can be, so that what is measured is the service. Resolves when the first word has come. */
function openReader(url: string): Promise<Reader> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const heard = new Map<number, number>();
    let rest = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      const now = performance.now();
      rest += part;
      if (rest.includes('event: snapshot\n')) resolve({ socket, heard });
      for (const [, number] of rest.matchAll(/"number":(\d+)\}\}\n\n/g)) heard.set(Number(number), now);
      rest = rest.slice(rest.lastIndexOf('\n\n') + 2);
    });
    socket.once('error', reject);
    socket.once('close', () => reject(new Error(`the stream ended: ${rest.slice(0, 300)}`)));
    socket.write(`GET /api/v1/events HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  });
}
