import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const present = new Set<string>();

/** Makes sure that a program of the system is there: installs its package where that can be done, else fails with a line that says how. */
export async function requireProgram(program: string, debianPackage: string): Promise<void> {
  if (present.has(program)) return;
  if (!(await isOnPath(program))) {
    if (process.getuid?.() === 0) await install(debianPackage);
    if (!(await isOnPath(program))) throw new Error(`${program} is missing: apt-get install ${debianPackage}`);
  }
  present.add(program);
}

/** Suites that run side by side take turns. */
async function install(debianPackage: string): Promise<void> {
  const command = `apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ${debianPackage}`;
  await run('flock', [join(tmpdir(), 'chainfolio-apt.lock'), 'sh', '-c', command]).catch(() => undefined);
}

function isOnPath(program: string): Promise<boolean> {
  return run('sh', ['-c', 'command -v "$0"', program]).then(
    () => true,
    () => false,
  );
}
