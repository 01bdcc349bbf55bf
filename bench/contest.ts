import { median } from './bench-line.ts';
import type { ServerProcess } from './server-process.ts';
import { type Load, runWrk } from './wrk.ts';

export type Contender = {
  readonly name: string;
  readonly server: ServerProcess;
  readonly load: Omit<Load, 'seconds'>;
};

export type Score = {
  readonly requestsPerSecond: number;
  /** CPU time a request, of the round that was disturbed least: others on the machine can only add to it. */
  readonly leastCpuUs: number;
};

const WARM_UP_SECONDS = 2;

/** Loads the contenders in turns, so that a busy moment of the machine hits all alike, and answers with what each did by its name. */
export async function holdContest(
  contenders: readonly Contender[],
  { rounds, seconds }: { readonly rounds: number; readonly seconds: number },
): Promise<ReadonlyMap<string, Score>> {
  const scores = new Map(contenders.map(({ name }) => [name, { rates: [] as number[], cpu: [] as number[] }]));
  for (const { load } of contenders) await runWrk({ ...load, seconds: WARM_UP_SECONDS });
  for (let round = 0; round < rounds; round++) {
    for (const { name, server, load } of contenders) {
      const before = server.cpuMs();
      const rate = await runWrk({ ...load, seconds });
      scores.get(name)?.rates.push(rate);
      scores.get(name)?.cpu.push(((server.cpuMs() - before) * 1000) / (rate * seconds));
    }
  }
  return new Map(
    [...scores].map(([name, { rates, cpu }]) => [name, { requestsPerSecond: median(rates), leastCpuUs: Math.min(...cpu) }]),
  );
}
