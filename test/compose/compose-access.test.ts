import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { isolatedEnvironment, runScript, type ServiceProcess, startServiceProcess } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';
import type { Body } from '../support/test-stack.ts';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.db.deleteFrom('api_keys').execute();
  folder = await mkdtemp(join(tmpdir(), 'chainfolio-access-'));
  onTestFinished(() => rm(folder, { recursive: true }));
});

const KEY = /^cpf_\w{12}_\w{49}\n$/;
const environment = (overrides: Record<string, string> = {}) =>
  isolatedEnvironment({ DATABASE_URL: database.url, DATA_DIR: folder, API_KEYS_REQUIRED: 'true', ...overrides });

async function start(overrides?: Record<string, string>): Promise<ServiceProcess> {
  const service = await startServiceProcess({ environment: environment(overrides) });
  onTestFinished(async () => void (await service.stop()));
  return service;
}

const statusOf = async ({ url }: { url: string }, key?: string): Promise<number> =>
  (await fetch(`${url}/api/v1/chains`, key === undefined ? {} : { headers: { 'X-API-Key': key } })).status;

describe('the first start with keys', { timeout: 180_000 }, () => {
  it('makes one that its owner alone may read, and says where it is but not what it is', async () => {
    const file = join(folder, 'below', 'first-admin-key');
    const service = await start({ DATA_DIR: join(folder, 'below') });
    const text = await readFile(file, 'utf8');
    expect(text).toMatch(KEY);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await statusOf(service)).toBe(401);
    expect(await statusOf(service, text.trim())).toBe(200);
    expect(service.log()).toContainEqual(expect.objectContaining({ level: 'warn', file, key_id: text.split('_')[1] }));
    expect(service.lines.join()).not.toContain(text.trim().slice(17));
  });

  it('is refused where the key can be kept nowhere, with the command that makes one', async () => {
    await writeFile(join(folder, 'file'), '');
    const inTheWay = environment({ DATA_DIR: join(folder, 'file') });
    const { code, output } = await runScript('main', { environment: inTheWay });
    expect(code).toBe(1);
    expect(output).toMatch(/API_KEYS_REQUIRED: there is no key yet, .*`npm run keys -- create --name admin --scopes admin`/);
    const made = await runScript('keys', { environment: inTheWay, args: ['create', '--name', 'admin', '--scopes', 'admin'] });
    expect(made.code).toBe(0);
    const service = await start({ DATA_DIR: join(folder, 'file') });
    expect(await statusOf(service, /cpf_\w{62}/.exec(made.output)?.[0])).toBe(200);
  });
});

it('a key that one instance revokes is refused by the other within five seconds', { timeout: 180_000 }, async () => {
  const [one, other] = [await start(), await start()];
  const headers = {
    'X-API-Key': (await readFile(join(folder, 'first-admin-key'), 'utf8')).trim(),
    'Content-Type': 'application/json',
  };
  const body = JSON.stringify({ name: 'guest', scopes: ['read:values'] });
  const guest: Body = await (await fetch(`${one.url}/api/v1/keys`, { method: 'POST', headers, body })).json();
  expect(await statusOf(other, guest.key)).toBe(200);
  expect((await fetch(`${one.url}/api/v1/keys/${guest.id}`, { method: 'DELETE', headers })).status).toBe(204);
  expect(await statusOf(one, guest.key)).toBe(401);
  await expect.poll(() => statusOf(other, guest.key), { timeout: 5_000, interval: 100 }).toBe(401);
});
