import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isolatedEnvironment } from '../support/service-process.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const REQUESTS = 12_000;
const CLIENTS = 16;

describe('fault 50: nobody reads the log', () => {
  let database: TestDatabase;
  let dir: string;
  let reader: ChildProcess;
  let service: ChildProcess;
  let url: string;
  const seen: string[] = [];

  beforeEach(async () => {
    database = await createTestDatabase();
    dir = mkdtempSync(join(tmpdir(), 'chainfolio-log-'));
    const pipe = join(dir, 'log');
    execFileSync('mkfifo', [pipe]);
    reader = spawn('cat', [pipe], { stdio: ['ignore', 'pipe', 'inherit'] });
    seen.length = 0;
    const lines = createInterface({ input: reader.stdout ?? process.stdin });
    lines.on('line', (line) => seen.push(line));
    // Opening it waits for the reader.
    const output = openSync(pipe, 'w');
    service = spawn(process.execPath, ['src/main.ts'], {
      env: isolatedEnvironment({ DATABASE_URL: database.url, RATE_LIMIT_PER_MINUTE: '0' }),
      stdio: ['ignore', output, 'inherit'],
    });
    url = await new Promise((resolve, reject) => {
      lines.on('line', (line) => line.includes('"msg":"serving"') && resolve(JSON.parse(line).url));
      service.once('exit', () => reject(new Error(`it did not start: ${seen.join('\n')}`)));
    });
  });
  afterEach(async () => {
    service.kill('SIGKILL');
    reader.kill('SIGKILL');
    await database.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function load(): Promise<void> {
    const pool = new Pool(url, { connections: CLIENTS });
    let left = REQUESTS;
    const run = async (): Promise<void> => {
      while (left-- > 0) {
        const answer = await pool.request({ path: '/api/v1/chains', method: 'GET', headers: { 'X-Request-Id': 'x'.repeat(64) } });
        expect(answer.statusCode).toBe(200);
        await answer.body.dump();
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, run));
    await pool.destroy();
  }

  async function readMetric(name: string): Promise<number> {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  }

  function rssMegabytes(): number {
    const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes) / 1024;
  }

  it('fault 50: serves on without filling its memory, counts what it dropped, tells of it, and still stops', async () => {
    await load();
    expect(await readMetric('log_lines_dropped_total')).toBe(0);
    const before = rssMegabytes();
    reader.kill('SIGSTOP');
    await load();
    const dropped = await readMetric('log_lines_dropped_total');
    expect(dropped).toBeGreaterThan(0);
    expect(rssMegabytes() - before).toBeLessThan(60);

    reader.kill('SIGCONT');
    do await fetch(`${url}/api/v1/chains`);
    while (!seen.some((line) => line.includes('lines were dropped')));
    const told = seen.map((line) => JSON.parse(line)).find(({ msg }) => msg.startsWith('lines were dropped'));
    expect(told).toMatchObject({ level: 'warn', lines: expect.any(Number) });
    expect(told.lines).toBeGreaterThanOrEqual(dropped);

    reader.kill('SIGSTOP');
    await load();
    service.kill('SIGTERM');
    const [code] = await once(service, 'exit');
    expect(code).toBe(0);
  }, 120_000);

  it('fault 50: serves on when the reader is gone', async () => {
    reader.kill('SIGKILL');
    await once(reader, 'exit');
    await load();
    expect(await readMetric('log_lines_dropped_total')).toBeGreaterThan(0);
    service.kill('SIGTERM');
    const [code] = await once(service, 'exit');
    expect(code).toBe(0);
  }, 120_000);
});
