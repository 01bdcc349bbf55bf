import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireProgram } from '../test/support/debian-package.ts';
import { PORTFOLIO } from './api.ts';
import { startBenchDatabase } from './bench-database.ts';
import type { BenchLine } from './bench-line.ts';
import { holdContest } from './contest.ts';
import { saveAnswer } from './saved-answer.ts';
import { seedPortfolio } from './seed-portfolio.ts';
import { findFreePort, type ServerProcess, startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';
import { LOAD_CORE } from './wrk.ts';

const ROUNDS = 5;
const SECONDS = 1;

/**
 * The cached portfolio through our own `nginx.conf`, against Node alone behind the same nginx. nginx shares its core with the load, so that the rates say
 * what a door costs at the least; the service's own CPU time is not disturbed by that.
 */
export async function benchNginx(): Promise<readonly BenchLine[]> {
  await requireProgram('nginx', 'nginx');
  const folder = mkdtempSync(join(tmpdir(), 'chainfolio-bench-'));
  const database = await startBenchDatabase();
  const servers: ServerProcess[] = [];
  const doors: Door[] = [];
  const start = async (options: Parameters<typeof startServerProcess>[0]): Promise<ServerProcess> => {
    const server = await startServerProcess(options);
    servers.push(server);
    return server;
  };
  const openDoor = async (server: ServerProcess): Promise<string> => {
    const door = await startNginx(server.url, mkdtempSync(join(folder, 'nginx-')));
    doors.push(door);
    return door.url + PORTFOLIO;
  };
  try {
    await seedPortfolio(database.tenants, { wallets: 1, tokensEach: 2 });
    const env = { ...serviceEnvironment(database.url), TRUST_PROXY: 'loopback' };
    const service = await start({ script: 'src/main.ts', env, readyPath: '/health/live' });
    const file = join(folder, 'answer.json');
    await saveAnswer(service.url + PORTFOLIO, file);
    const bare = await start({ script: 'bench/bare-server.ts', args: [file] });
    const scores = await holdContest(
      [
        { name: 'ceiling', server: bare, load: { url: bare.url + PORTFOLIO } },
        { name: 'bare', server: bare, load: { url: await openDoor(bare) } },
        { name: 'cached', server: service, load: { url: await openDoor(service) } },
      ],
      { rounds: ROUNDS, seconds: SECONDS },
    );
    const ceiling = scores.get('ceiling')?.requestsPerSecond ?? Number.NaN;
    return [...scores].flatMap(([name, { requestsPerSecond, leastCpuUs }]): BenchLine[] => [
      { name: `nginx.${name}`, value: requestsPerSecond, unit: 'req/s', ratio: requestsPerSecond / ceiling },
      { name: `nginx.${name}.cpu`, value: leastCpuUs, unit: 'us/req', ratio: null },
    ]);
  } finally {
    for (const door of doors) await door.close();
    for (const server of servers) await server.stop();
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

type Door = { readonly url: string; close(): Promise<void> };

/** nginx with our configuration, but for where it listens, whom it asks, and where it writes. */
async function startNginx(upstream: string, folder: string): Promise<Door> {
  const port = await findFreePort();
  const config = readFileSync(join(import.meta.dirname, '..', 'nginx.conf'), 'utf8')
    .replace('server api:3000', `server ${new URL(upstream).host}`)
    .replaceAll('listen 8080', `listen 127.0.0.1:${port}`)
    .replaceAll('/tmp/', `${folder}/`)
    .replaceAll('/dev/stdout', join(folder, 'access.log'))
    .replaceAll('/dev/stderr', join(folder, 'error.log'))
    .replace('worker_processes auto', 'worker_processes 1');
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, config);
  const child = spawn('taskset', ['-c', LOAD_CORE, 'nginx', '-c', file, '-g', 'daemon off;'], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  await untilServed(url, child, join(folder, 'error.log'));
  return {
    url,
    async close() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function untilServed(url: string, child: ChildProcess, log: string): Promise<void> {
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const isServed = await fetch(url).then(
      () => true,
      () => false,
    );
    if (isServed) return;
    await sleep(50);
  }
  child.kill();
  throw new Error(`nginx does not start: ${readFileSync(log, 'utf8').slice(-1000)}`);
}
