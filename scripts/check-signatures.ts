import { execFile } from 'node:child_process';
import { z } from 'zod';

/**
 * Checks the registry's signatures of all packages that are installed: `npm run audit:signatures`. A registry that has no keys, or keys that cannot be looked up
 * from here, leave nothing to check: it says so, and fails nothing. A signature that is wrong fails, and so does one that npm's own registry ought to have given.
 */
const OFFICIAL_REGISTRY = 'https://registry.npmjs.org/';
const TIMEOUT_MS = 120_000;

const culprit = z.object({ name: z.string(), version: z.string(), registry: z.string().optional() });
const reportSchema = z.object({ invalid: z.array(culprit), missing: z.array(culprit) });

const { output, problem } = await run(['audit', 'signatures', '--json', '--fetch-retries=0']);
const report = reportSchema.safeParse(parse(output));
if (report.success) {
  const { invalid, missing } = report.data;
  const unsigned = missing.filter(({ registry }) => registry === undefined || registry === OFFICIAL_REGISTRY);
  for (const { name, version } of invalid) process.stdout.write(`${name}@${version}: the signature is wrong\n`);
  for (const { name, version } of unsigned) process.stdout.write(`${name}@${version}: there is no signature\n`);
  const isGood = invalid.length === 0 && unsigned.length === 0;
  if (isGood) process.stdout.write('All packages are signed by their registry.\n');
  process.exitCode = isGood ? 0 : 1;
} else {
  process.stdout.write(`The signatures of packages could not be checked from here (${problem}).\n`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What npm printed, and the line that says what went wrong. */
function run(args: readonly string[]): Promise<{ readonly output: string; readonly problem: string }> {
  return new Promise((resolve) => {
    execFile('npm', args, { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 }, (_, output, errors) => {
      const lines = errors.split('\n').filter((line) => /^npm error (network |code |No )/.test(line));
      resolve({ output, problem: lines[0]?.replace(/^npm error /, '') ?? 'npm gave no report' });
    });
  });
}
