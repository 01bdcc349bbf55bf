import { beforeAll, describe, expect, it } from 'vitest';
import { ROOT } from './container-stack.ts';
import { buildImage, podman } from './podman.ts';

const BASE = 'docker.io/library/node:24-bookworm-slim';
const MAX_OWN_BYTES = 250 * 1024 * 1024;

beforeAll(() => buildImage(ROOT));

describe('the image', () => {
  it('adds less than 250 MB to its base', async () => {
    const sizeOf = async (image: string): Promise<number> =>
      Number(await podman('image', 'inspect', image, '--format', '{{.Size}}'));
    const ownBytes = (await sizeOf('chainfolio')) - (await sizeOf(BASE));
    expect(ownBytes).toBeGreaterThan(0);
    expect(ownBytes).toBeLessThan(MAX_OWN_BYTES);
  });

  it('runs node itself, as a user without rights, with a health check that needs no shell', async () => {
    const [{ Config, Healthcheck }] = JSON.parse(await podman('image', 'inspect', 'chainfolio'));
    expect(Config).toMatchObject({ User: 'node', Cmd: ['node', 'src/main.ts'], StopSignal: 'SIGTERM' });
    expect(Config.Labels).toMatchObject({ 'org.opencontainers.image.title': 'chainfolio' });
    expect(Healthcheck.Test).toEqual(['CMD', 'node', 'deploy/health-check.ts', expect.stringContaining('/health/ready')]);
  });

  it('holds what runs and nothing else: no tests, no tools, no embedded database, no file that only this machine has', async () => {
    const list = await podman('run', '--rm', 'chainfolio', 'sh', '-c', 'ls -A . node_modules node_modules/@*');
    const names = list.split('\n').filter((line) => line !== '');
    expect(names).toEqual(expect.arrayContaining(['src', 'migrations', 'node_modules', 'express', 'pg']));
    for (const absent of ['test', '.git', '.env', 'secrets', 'typescript', 'vitest', 'anvil', 'linux-x64', 'litesvm']) {
      expect(names).not.toContain(absent);
    }
  });

  it('lets nobody but root change its files', async () => {
    const writable = await podman('run', '--rm', 'chainfolio', 'sh', '-c', 'id -u; find /app -writable | head -5');
    expect(writable).toBe('1000');
  });

  it('says what is missing and ends with 1 when it cannot start', async () => {
    const refused = podman('run', '--rm', '--read-only', '--env', 'DATABASE_URL=postgres://u:canary@127.0.0.1:9/x', 'chainfolio');
    await expect(refused).rejects.toMatchObject({ code: 1, stderr: expect.stringContaining('the database cannot be reached') });
    await expect(refused).rejects.not.toMatchObject({ stderr: expect.stringContaining('canary') });
  });
});
