import { expect, it } from 'vitest';
import { chunk, mapLimited } from '../../src/lib/concurrency.ts';

it('chunk cuts a list into runs', () => {
  expect(chunk([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(chunk([], 2)).toEqual([]);
});

it('mapLimited keeps the order and the limit', async () => {
  let inFlight = 0;
  let most = 0;
  const results = await mapLimited([5, 4, 3, 2, 1, 0], 3, async (turns) => {
    inFlight += 1;
    most = Math.max(most, inFlight);
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    inFlight -= 1;
    return turns * 10;
  });
  expect(results).toEqual([50, 40, 30, 20, 10, 0]);
  expect(most).toBe(3);
});

it('mapLimited starts nothing more once a call has failed', async () => {
  const started: number[] = [];
  const work = mapLimited([0, 1, 2, 3, 4, 5], 2, async (item) => {
    started.push(item);
    await Promise.resolve();
    if (item === 1) throw new Error('no');
  });
  await expect(work).rejects.toThrow('no');
  await new Promise(setImmediate);
  expect(started.length).toBeLessThan(4);
});
