import { expect, it } from 'vitest';
import { startFuzzWorld } from '../../fuzz/fuzz-world.ts';
import { describeFinding, runFuzz } from '../../fuzz/run-fuzz.ts';
import { createTestDatabase } from '../support/test-database.ts';

it('answers whatever it is asked as its document says, and never fails', async () => {
  const database = await createTestDatabase();
  const world = await startFuzzWorld(database.url);
  const report = await runFuzz({ ...world, requests: 250, seed: 7 });
  const { errors } = await world.observe();
  await world.close();
  await database.close();
  expect(report.findings.map(describeFinding)).toEqual([]);
  expect(errors).toEqual([]);
  expect(report.requests).toBe(250);
  // It did more than be refused.
  expect(report.reached.size).toBeGreaterThan(8);
}, 120_000);
