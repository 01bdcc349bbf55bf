import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { isolatedEnvironment, runScript } from './support/service-process.ts';
import { startTcpProxy } from './support/tcp-proxy.ts';
import { createTestDatabase } from './support/test-database.ts';

it.each(['main', 'worker'])('%s stops cleanly at a signal that comes while it is being started', async (script) => {
  const database = await createTestDatabase();
  onTestFinished(() => database.close());
  const proxy = await startTcpProxy(database.url);
  onTestFinished(() => proxy.close());
  proxy.pause();
  const environment = isolatedEnvironment({ DATABASE_URL: proxy.url, LOG_LEVEL: 'info' });
  const child = spawn(process.execPath, [`src/${script}.ts`], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  const ended = once(child, 'exit');
  // It has read its settings and asks for the database.
  await expect.poll(() => proxy.openConnections(), { timeout: 20_000 }).toBeGreaterThan(0);
  child.kill('SIGTERM');
  proxy.resume();
  expect(await ended).toEqual([0, null]);
  expect(output).not.toContain('"msg":"serving"');
});

it('a worker alone says that it needs the database of a service', async () => {
  const { code, output } = await runScript('worker', { environment: isolatedEnvironment() });
  expect({ code, output }).toEqual({
    code: 1,
    output: 'chainfolio cannot start: DATABASE_URL: a worker that runs alone needs the database of the service it works for',
  });
});
