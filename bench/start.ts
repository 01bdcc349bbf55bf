import { setTimeout as sleep } from 'node:timers/promises';
import { startBenchDatabase } from './bench-database.ts';
import { type BenchLine, median } from './bench-line.ts';
import { startServerProcess } from './server-process.ts';
import { serviceEnvironment } from './service-environment.ts';

const ROUNDS = 5;
/** What a process allocates to start has settled by then. */
const SETTLE_MS = 3_000;

/** How long the API process takes from nothing to its first answer, and what memory it then holds, with a database that is there. */
export async function benchStart(): Promise<readonly BenchLine[]> {
  const database = await startBenchDatabase();
  try {
    const api = { script: 'src/main.ts', env: serviceEnvironment(database.url), readyPath: '/health/live' };
    const bare = { script: 'bench/idle-server.ts' };
    const times = { api: [] as number[], bare: [] as number[] };
    const memory = { api: [] as number[], bare: [] as number[] };
    for (let round = 0; round < ROUNDS; round++) {
      for (const [name, options] of [
        ['bare', bare],
        ['api', api],
      ] as const) {
        const server = await startServerProcess(options);
        times[name].push(server.startMs);
        await sleep(SETTLE_MS);
        memory[name].push(server.rssMb());
        await server.stop();
      }
    }
    return (['bare', 'api'] as const).flatMap((name): BenchLine[] => [
      { name: `start.${name}`, value: median(times[name]), unit: 'ms', ratio: median(times.bare) / median(times[name]) },
      { name: `start.${name}.rss`, value: median(memory[name]), unit: 'MB', ratio: median(memory.bare) / median(memory[name]) },
    ]);
  } finally {
    await database.close();
  }
}
