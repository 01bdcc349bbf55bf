import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Runs the tests that need containers and ends with one line, `N passed, N failed`. Podman, podman-compose and the base images are brought in
 * first: from the public registry, or by the set-up that a machine without one has beside the project (`CONTAINERS_SETUP`). Where neither works
 * it says so and ends with `0 passed, 0 failed`.
 */
const ROOT = join(import.meta.dirname, '..');
const SETUP = process.env.CONTAINERS_SETUP ?? join(ROOT, '..', 'shared', 'containers', 'setup');
const IMAGES = [
  'library/node:24-bookworm-slim',
  'library/postgres:18',
  'library/redis:7',
  'library/nginx:1',
  'prom/prometheus:latest',
];

function run(command: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(command, args, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
}

function works(command: string, ...args: readonly string[]): boolean {
  return run(command, ...args).status === 0;
}

/** Why containers cannot be had, or undefined when they can. */
function prepare(): string | undefined {
  if (existsSync(SETUP) && process.getuid?.() === 0) {
    console.log(`Preparing containers with ${SETUP} ...`);
    const { status, stderr } = run(SETUP);
    return status === 0 ? undefined : `${SETUP} failed: ${stderr.trim().split('\n').at(-1)}`;
  }
  if (!works('podman', 'info')) return 'podman does not run here';
  if (!works('podman-compose', '--version')) return 'podman-compose is not installed';
  const missing = IMAGES.filter((image) => {
    const name = `docker.io/${image}`;
    return !works('podman', 'image', 'exists', name) && !works('podman', 'pull', '--quiet', name);
  });
  return missing.length === 0 ? undefined : `these images cannot be pulled: ${missing.join(', ')}`;
}

const obstacle = prepare();
if (obstacle === undefined) {
  const args = [join(import.meta.dirname, 'run-tests.ts'), '--config', 'vitest.containers.config.ts', ...process.argv.slice(2)];
  process.exitCode = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' }).status ?? 1;
} else {
  console.log(`Containers cannot be had: ${obstacle}.`);
  console.log('0 passed, 0 failed');
}
