import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startBenchDatabase } from '../bench/bench-database.ts';
import { startFuzzWorld } from './fuzz-world.ts';
import { describeFinding, type FuzzReport, runFuzz } from './run-fuzz.ts';

/** `npm run fuzz -- [--requests 20000] [--seed 1]`: exits with 1 when an answer is not as documented, is a 5xx, or the service failed or stalled. */
const MAX_LAG_P99_MS = 100;
const MAX_SHOWN = 20;

const { values } = parseArgs({ options: { requests: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
const requests = Number(values.requests);
const seed = Number(values.seed ?? randomInt(2 ** 31));
if (!Number.isSafeInteger(requests) || requests < 1 || !Number.isSafeInteger(seed)) throw new Error('give whole numbers');

const closers: (() => Promise<void>)[] = [];

async function fuzz(): Promise<
  FuzzReport & { readonly seconds: number; readonly lagP99Ms: number; readonly errors: readonly string[] }
> {
  const database = await startBenchDatabase();
  closers.unshift(() => database.close());
  const world = await startFuzzWorld(database.url);
  closers.unshift(() => world.close());
  // Reading the figures begins a new count of them.
  await world.observe();
  const startedAt = performance.now();
  const report = await runFuzz({ ...world, requests, seed });
  return { ...report, seconds: (performance.now() - startedAt) / 1000, ...(await world.observe()) };
}

const report = await fuzz().finally(async () => {
  for (const close of closers) await close();
});
const { seconds, lagP99Ms, errors } = report;
const failures = report.findings.filter(({ status }) => status !== null && status >= 500).length;
const classes = [...report.byClass].sort().map(([name, count]) => `${name} ${count}`);
const operations = report.reached.size + report.unreached.length;
console.log(`requests                  ${report.requests} in ${seconds.toFixed(0)} s, seed ${seed}`);
console.log(`answers                   ${classes.join(', ')}`);
console.log(
  `operations answered well  ${report.reached.size} of ${operations}${report.unreached.map((name) => `\n  never: ${name}`).join('')}`,
);
console.log(`answers of 5xx            ${failures}`);
console.log(`not as documented         ${report.findings.length - failures}`);
console.log(`unhandled errors          ${errors.length}`);
console.log(`event loop lag p99        ${lagP99Ms.toFixed(1)} ms (at most ${MAX_LAG_P99_MS})`);
for (const finding of report.findings.slice(0, MAX_SHOWN)) console.log(`\n${describeFinding(finding)}`);
for (const line of errors.slice(0, MAX_SHOWN))
  console.log(`\n${line.length > 3000 ? `${line.slice(0, 2000)} ... ${line.slice(-1000)}` : line}`);
process.exitCode = report.findings.length + errors.length > 0 || !(lagP99Ms < MAX_LAG_P99_MS) ? 1 : 0;
