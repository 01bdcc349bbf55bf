import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../../src/db/embedded/embedded-postgres.ts';
import { StartupError } from '../../../src/lib/startup-error.ts';
import { asSuperuser, readPostmasterPid, signalAll } from '../../support/postgres-processes.ts';

let dataDir: string;
const started: EmbeddedPostgres[] = [];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), `chainfolio-test-${process.pid}-`));
});
afterEach(async () => {
  for (const postgres of started.splice(0)) await postgres.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir });
  started.push(postgres);
  return postgres;
}

async function query(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('did not throw'),
    (error) => error,
  );

it('keeps its data between runs', async () => {
  const first = await start();
  await query(first.url, "create table kept (word text); insert into kept values ('naïve 🦊')");
  await first.stop();
  const second = await start();
  expect(await query(second.url, 'select word from kept')).toEqual([{ word: 'naïve 🦊' }]);
});

it('is PostgreSQL 18 in UTF-8, open to this machine only, with a role that is no superuser', async () => {
  const { url } = await start();
  const settings = await query(
    url,
    `select current_setting('server_version') as version, current_setting('listen_addresses') as addresses,
      pg_encoding_to_char(encoding) as encoding, datcollate as collation, usesuper as superuser
     from pg_database, pg_user where datname = current_database() and usename = current_user`,
  );
  expect(settings).toEqual([
    { version: expect.stringMatching(/^18\./), addresses: '127.0.0.1', encoding: 'UTF8', collation: 'C', superuser: false },
  ]);
  const { mode } = await stat(join(dataDir, 'postgres', 'password'));
  expect(mode & 0o777).toBe(0o600);
  await expect(query(url.replace(/:[^:@]+@/, ':wrong@'), 'select 1')).rejects.toThrow('password authentication failed');
});

it('says in one line who uses the folder already', async () => {
  await start();
  const error = await failure(start());
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).toBe(
    `Another chainfolio (process ${process.pid}) uses ${join(dataDir, 'postgres')}. Stop it, or set DATA_DIR to another folder.`,
  );
});

it('lets one of several starts at once win, on a new folder and on a used one', async () => {
  for (let round = 0; round < 2; round++) {
    const results = await Promise.allSettled([start(), start(), start()]);
    const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    expect(reasons).toHaveLength(2);
    for (const reason of reasons) expect(reason.message).toMatch(/^Another chainfolio \(process \d+\) uses/);
    for (const postgres of started.splice(0)) await postgres.stop();
  }
});

async function spawnOwner(): Promise<{ child: ChildProcess; url: string }> {
  const script = new URL('../../support/embedded-owner.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [script, dataDir], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [output] = await once(child.stdout ?? expect.fail(), 'data');
  return { child, url: String(output).trim() };
}

it('recovers by itself after its owner was killed, although the server still runs', async () => {
  const { child, url } = await spawnOwner();
  await query(url, 'create table kept (word text)');
  const orphan = readPostmasterPid(dataDir);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const { url: newUrl } = await start();
  expect(await query(newUrl, 'select word from kept')).toEqual([]);
  expect(readPostmasterPid(dataDir)).not.toBe(orphan);
});

it('recovers after owner and server were killed and another process has the server’s number', async () => {
  const { child } = await spawnOwner();
  const postmaster = readPostmasterPid(dataDir);
  child.kill('SIGKILL');
  signalAll([postmaster], 'SIGKILL');
  await once(child, 'exit');
  const file = join(dataDir, 'postgres', 'data', 'postmaster.pid');
  const lines = (await readFile(file, 'utf8')).split('\n');
  await writeFile(file, [process.pid, ...lines.slice(1)].join('\n'));
  const { url } = await start();
  expect(await query(url, 'select 1 as one')).toEqual([{ one: 1 }]);
});

it('outlives a Ctrl-C until its owner stops it', async () => {
  const { child, url } = await spawnOwner();
  const said = once(child.stdout ?? expect.fail(), 'data');
  process.kill(-(child.pid ?? expect.fail()), 'SIGINT');
  expect(String((await said)[0])).toBe('stopped cleanly\n');
  await expect(query(url, 'select 1')).rejects.toThrow('ECONNREFUSED');
});

it('stays owned when the server restarts itself after a crash', async () => {
  const { url } = await start();
  const findOwner = (): Promise<unknown> =>
    query(asSuperuser(url), "select pid from pg_locks where locktype = 'advisory'").then(
      ([row]) => row?.pid ?? 'nobody',
      () => 'nobody',
    );
  const owner = await findOwner();
  signalAll([Number(owner)], 'SIGKILL');
  await expect.poll(findOwner, { timeout: 20_000 }).not.toBeOneOf([owner, 'nobody']);
  await expect(start()).rejects.toThrow('Another chainfolio');
});

it('starts the server again when it was killed, at the same address and with its data', async () => {
  const { url } = await start();
  await query(url, "create table kept (word text); insert into kept values ('still here')");
  process.kill(readPostmasterPid(dataDir), 'SIGKILL');
  const ask = (): Promise<unknown> => query(url, 'select word from kept').catch(() => 'gone');
  await expect.poll(ask, { timeout: 20_000 }).toEqual([{ word: 'still here' }]);
});

it('stops within ten seconds when the server is frozen', async () => {
  const postgres = await start();
  signalAll([readPostmasterPid(dataDir)], 'SIGSTOP');
  const startedAt = Date.now();
  await postgres.stop();
  expect(Date.now() - startedAt).toBeLessThan(10_000);
  await expect(query(postgres.url, 'select 1')).rejects.toThrow(/ECONNRE(FUSED|SET)/);
});

it('says so when the server does not know the password, and leaves nothing running', async () => {
  await (await start()).stop();
  await writeFile(join(dataDir, 'postgres', 'password'), 'another');
  const error = await failure(start());
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).toMatch(/cannot be used: password authentication failed[^\n]+$/);
  expect(await readdir(join(dataDir, 'postgres', 'data'))).not.toContain('postmaster.pid');
});

it('refuses the data of another major version', async () => {
  await (await start()).stop();
  await writeFile(join(dataDir, 'postgres', 'data', 'PG_VERSION'), '17\n');
  const error = await failure(start());
  expect(error).toBeInstanceOf(StartupError);
  expect(error.message).toMatch(/was made by PostgreSQL 17, this is PostgreSQL 18/);
});

it('refuses a folder that it cannot use, in one line', async () => {
  const closed = join(dataDir, 'closed');
  await mkdir(closed);
  await chmod(closed, 0o000);
  const file = join(dataDir, 'file');
  await writeFile(file, '');
  for (const folder of [join(closed, 'inner'), file]) {
    const error = await failure(startEmbeddedPostgres({ dataDir: folder }));
    expect(error).toBeInstanceOf(StartupError);
    expect(error.message).toMatch(/^DATA_DIR: [^\n]+$/);
  }
  await chmod(closed, 0o700);
});

it('clears away what a killed first start left', async () => {
  const leftover = join(dataDir, 'postgres.new-abc123');
  await mkdir(leftover);
  const longAgo = new Date(Date.now() - 3_600_000);
  await utimes(leftover, longAgo, longAgo);
  await chmod(dataDir, 0o755);
  await start();
  expect(await readdir(dataDir)).toEqual(['postgres']);
});

it('logs no statement and no password', async () => {
  const { url } = await start();
  const password = new URL(url).password;
  await expect(query(url, "select 'top secret' from nowhere")).rejects.toThrow();
  const log = await readFile(join(dataDir, 'postgres', 'server.log'), 'utf8');
  expect(log).not.toContain('top secret');
  expect(log).not.toContain(password);
});
