import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { isolatedEnvironment } from './support/service-process.ts';
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.ts';
import { createTestDatabase, type TestDatabase } from './support/test-database.ts';

let database: TestDatabase;
let proxy: TcpProxy;
afterEach(async () => {
  await proxy.close();
  await database.close();
});

it.each(['main', 'worker'])('%s stops cleanly at a signal that comes while it is being started', async (script) => {
  database = await createTestDatabase();
  proxy = await startTcpProxy(database.url);
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
