import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const TIMEOUT_MS = 300_000;

/** What podman printed. Throws with its own words. */
export async function podman(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('podman', args, { timeout: TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** One field of a container, by a Go template without its braces: `.State.Pid`. */
export function inspect(container: string, field: string): Promise<string> {
  return podman('container', 'inspect', container, '--format', `{{${field}}}`);
}

/** Everything that a container has printed. */
export async function logsOf(container: string): Promise<string> {
  const { stdout, stderr } = await run('podman', ['logs', container], { timeout: TIMEOUT_MS, maxBuffer: 256 * 1024 * 1024 });
  return stdout + stderr;
}

/** Builds the image of this working tree, with the health check that podman keeps only in Docker's format. */
export async function buildImage(root: string): Promise<void> {
  await podman('build', '--format', 'docker', '--quiet', '--tag', 'chainfolio', root);
}

/** Waits until something holds that no event tells of. A check that throws does not hold. */
export async function until(what: string, check: () => Promise<boolean>, timeoutMs = 60_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check().catch(() => false))) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs / 1000} s: ${what}`);
    await sleep(200);
  }
}
