import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PORTFOLIO } from './api.ts';
import type { BenchLine } from './bench-line.ts';
import { type Contender, holdContest } from './contest.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

const ROUNDS = 6;
const SECONDS = 1;
const BODY_BYTES = 2_048;
const PARTS = ['log', 'limits', 'metrics', 'cache'] as const;

/** What each part of a request's way costs: the CPU time of the whole app less that of the app without the part. */
export async function benchMiddleware(): Promise<readonly BenchLine[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chainfolio-bench-'));
  const file = join(folder, 'answer.json');
  writeFileSync(file, JSON.stringify({ headers: [], body: JSON.stringify({ data: 'x'.repeat(BODY_BYTES - 11) }) }));
  const servers: ServerProcess[] = [];
  try {
    const contenders: Contender[] = [];
    for (const name of ['nothing', ...PARTS, 'all-but-context', 'everything']) {
      const server = await startServerProcess({ script: 'bench/app-server.ts', args: [file, name], readyPath: PORTFOLIO });
      servers.push(server);
      contenders.push({ name, server, load: { url: server.url + PORTFOLIO } });
    }
    const scores = await holdContest(contenders, { rounds: ROUNDS, seconds: SECONDS });
    const cost = (name: string): number => scores.get(name)?.leastCpuUs ?? Number.NaN;
    const whole = cost('nothing');
    const line = (name: string, value: number): BenchLine => ({
      ...{ name: `middleware.${name}`, value, unit: 'us/req', ratio: null },
    });
    return [
      line('whole', whole),
      ...PARTS.map((part) => line(part, whole - cost(part))),
      line('context', cost('all-but-context') - cost('everything')),
      line('express', cost('everything')),
    ];
  } finally {
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
