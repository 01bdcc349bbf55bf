import { expect, it } from 'vitest';
import { runShutdown } from '../../src/lib/shutdown.ts';

function collect() {
  const lines: { level: string; part: unknown }[] = [];
  const note = (level: string) => (details: object) => {
    lines.push({ level, part: 'part' in details ? details.part : undefined });
  };
  return { lines, log: { info: note('info'), error: note('error') } };
}

it('stops one thing after the other', async () => {
  const order: string[] = [];
  const step = (name: string) => ({
    name,
    timeoutMs: 1_000,
    run: async () => {
      order.push(`${name} begins`);
      await Promise.resolve();
      order.push(`${name} ends`);
    },
  });
  const { lines, log } = collect();
  expect(await runShutdown([step('http'), step('database')], log)).toBe(true);
  expect(order).toEqual(['http begins', 'http ends', 'database begins', 'database ends']);
  expect(lines).toEqual([
    { level: 'info', part: 'http' },
    { level: 'info', part: 'database' },
  ]);
});

it('leaves behind what fails or hangs, and says so', async () => {
  const { lines, log } = collect();
  const steps = [
    { name: 'fails', timeoutMs: 1_000, run: async () => Promise.reject(new Error('no')) },
    {
      name: 'throws',
      timeoutMs: 1_000,
      run: () => {
        throw new Error('at once');
      },
    },
    { name: 'hangs', timeoutMs: 20, run: () => new Promise<void>(() => undefined) },
    { name: 'last', timeoutMs: 1_000, run: async () => undefined },
  ];
  expect(await runShutdown(steps, log)).toBe(false);
  expect(lines).toEqual([
    { level: 'error', part: 'fails' },
    { level: 'error', part: 'throws' },
    { level: 'error', part: 'hangs' },
    { level: 'info', part: 'last' },
  ]);
});
