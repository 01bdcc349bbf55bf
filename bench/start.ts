import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBenchDatabase } from './bench-database.ts';
import { type BenchLine, median } from './bench-line.ts';
import { startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';

const ROUNDS = 3;
/** What a process allocates to start has settled by then. */
const SETTLE_MS = 2_000;

/** How long the API process takes from nothing to its first answer, and what memory it then holds, with a database that is there. */
export async function benchStart(): Promise<readonly BenchLine[]> {
  const compileCache = mkdtempSync(join(tmpdir(), 'chainfolio-bench-'));
  const database = await startBenchDatabase();
  const env = serviceEnvironment(database.url);
  const api = { script: 'src/main.ts', env, readyPath: '/health/live' };
  // As `npm start` has it, from the second start on.
  const again = { ...api, env: { ...env, NODE_COMPILE_CACHE: compileCache } };
  const contenders = [
    { name: 'bare', options: { script: 'bench/idle-server.ts' }, times: [] as number[], memory: [] as number[] },
    { name: 'api', options: api, times: [] as number[], memory: [] as number[] },
    { name: 'api.again', options: again, times: [] as number[], memory: [] as number[] },
  ];
  try {
    await (await startServerProcess(again)).stop();
    for (let round = 0; round < ROUNDS; round++) {
      for (const { options, times, memory } of contenders) {
        const server = await startServerProcess(options);
        times.push(server.startMs);
        await sleep(SETTLE_MS);
        memory.push(server.rssMb());
        await server.stop();
      }
    }
    const [bare] = contenders;
    return contenders.flatMap(({ name, times, memory }): BenchLine[] => [
      { name: `start.${name}`, value: median(times), unit: 'ms', ratio: median(bare?.times ?? []) / median(times) },
      { name: `start.${name}.rss`, value: median(memory), unit: 'MB', ratio: median(bare?.memory ?? []) / median(memory) },
    ]);
  } finally {
    await database.close();
    rmSync(compileCache, { recursive: true, force: true });
  }
}
