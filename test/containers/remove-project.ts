import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { podman, until } from './podman.ts';

const LABEL = 'io.podman.compose.project';

/** Names of this process's projects begin with it, and every project's folder in the temporary directory is called like the project. */
export const PROJECT_PREFIX = `chainfolio-containers-${process.pid}-`;

/** Removes everything that podman keeps for a project, and its folder. */
export async function removeProject(project: string): Promise<void> {
  // One that is just being restarted escapes the first time.
  await until('the containers are gone', async () => {
    const left = await listLines('ps', '-aq', '--filter', `label=${LABEL}=${project}`);
    if (left.length > 0) await podman('rm', '--force', '--volumes', '--time', '5', ...left);
    return left.length === 0;
  });
  const volumes = (await listLines('volume', 'ls', '-q')).filter((name) => name.startsWith(`${project}_`));
  if (volumes.length > 0) await podman('volume', 'rm', ...volumes);
  for (const name of ['edge', 'data']) await podman('network', 'rm', '--force', `${project}_${name}`);
  await rm(join(tmpdir(), project), { recursive: true, force: true });
}

/** A run that was killed leaves containers that podman would start again for ever. */
export async function removeKilledRuns(): Promise<void> {
  const projects = new Set(await listLines('ps', '-a', '--format', `{{index .Labels "${LABEL}"}}`));
  for (const project of projects) {
    const pid = Number(/^chainfolio-containers-(\d+)-/.exec(project)?.[1] ?? Number.NaN);
    if (!Number.isNaN(pid) && !isAlive(pid)) await removeProject(project);
  }
}

async function listLines(...args: readonly string[]): Promise<string[]> {
  return (await podman(...args)).split('\n').filter((line) => line !== '');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
