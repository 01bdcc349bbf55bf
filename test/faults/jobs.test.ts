import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { runScript } from '../support/service-process.ts';
import { ALICE, balanceOf, call, createWorld, type Gate, listSchedules, PATIENCE, startGatedChain } from './jobs-world.ts';

const SCHEDULES = ['alerts', 'deliver', 'dispatch', 'heal', 'prices', 'snapshots', 'sweep', 'thin', 'transfers', 'watch'];

let gate: Gate;
beforeAll(async () => {
  gate = await startGatedChain();
});
afterAll(() => gate?.close());

describe('fault 26: the queue loses everything', () => {
  it('fault 26: schedules are back after FLUSHALL, and wallets are read on', async () => {
    gate.open();
    const { redis, start } = await createWorld(gate);
    const api = await start('main');
    await start();
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    await redis.admin.flushall();
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
  }, 180_000);
});

describe('fault 39: many start together', () => {
  it('fault 39: five workers keep one set of schedules and read each wallet once in a round', async () => {
    gate.open();
    const { redis, start } = await createWorld(gate, { REFRESH_INTERVAL_SECONDS: '86400' });
    const workers = await Promise.all(Array.from({ length: 5 }, () => start()));
    const api = await start('main');
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    expect(await listSchedules(redis)).toEqual(SCHEDULES);
    const countRuns = async (): Promise<number> => {
      const runs = workers.map(async ({ url }) => {
        const metrics = await (await fetch(`${url}/metrics`)).text();
        return Number(/job_duration_seconds_count\{job="read-wallets",outcome="ok"\} (\d+)/.exec(metrics)?.[1] ?? 0);
      });
      return (await Promise.all(runs)).reduce((sum, count) => sum + count, 0);
    };
    // What a job has read is stored before the job has ended.
    await expect.poll(countRuns, PATIENCE).toBeGreaterThan(0);
    expect(await countRuns()).toBe(1);
  }, 180_000);
});

describe('fault 40: jobs that nobody can do', () => {
  it('fault 40: end as dead letters that an operator can list and replay, while the rest goes on', async () => {
    gate.open();
    const { environment, redis, start } = await createWorld(gate);
    const [api, worker] = [await start('main'), await start()];
    await expect.poll(() => listSchedules(redis), PATIENCE).toEqual(SCHEDULES);
    const { Queue } = await import('bullmq');
    const queue = new Queue('jobs', { connection: { host: '127.0.0.1', port: redis.port }, prefix: '{chainfolio}' });
    onTestFinished(() => queue.close());
    await queue.add('format-disk', { path: '/' }, { jobId: 'unknown' });
    await queue.add('read-wallets', { v: 7 }, { jobId: 'malformed' });
    await call(api, 'POST', '/wallets', { address: ALICE });
    await expect.poll(() => balanceOf(api), PATIENCE).toBe('1');
    await expect.poll(async () => await queue.getFailedCount(), PATIENCE).toBe(2);
    const run = (...args: string[]) => runScript('dead-letters', { environment, args });
    const listed = await run('list');
    expect(listed.code).toBe(0);
    expect(listed.output).toMatch(/^unknown {2}\S+ {2}format-disk: no job is called format-disk$/m);
    expect(listed.output).toMatch(/^malformed {2}\S+ {2}read-wallets: the data of the job cannot be read$/m);
    expect(await run('replay', 'nobody')).toMatchObject({ code: 1, output: 'There is no dead letter of the id nobody.' });
    expect(await run('replay', 'unknown')).toMatchObject({ code: 0, output: 'Replayed: unknown' });
    expect(await run('replay', '--all')).toMatchObject({ code: 0 });
    // Nobody knows them any better now.
    await expect.poll(async () => await queue.getFailedCount(), PATIENCE).toBe(2);
    expect(await run('explode')).toMatchObject({ code: 1, output: expect.stringContaining('Usage') });
    expect(worker.lines.join('\n')).not.toContain('ended');
  }, 180_000);
});
