import { expect, it, vi } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import { buildPortfolio } from '../../../src/domain/portfolio-builder.ts';
import { createTotalsWatch } from '../../../src/services/events/totals-watch.ts';
import { NOW, USD } from '../../support/builders.ts';

const PATIENCE = { timeout: 20_000, interval: 10 };
const EMPTY = buildPortfolio({
  holdings: [],
  sources: [],
  currency: 'USD',
  fx: USD,
  minValue: null,
  includeSpam: false,
  now: NOW,
});

function setup() {
  let total = 1;
  const getPortfolio = vi.fn(async () => ({ ...EMPTY, totalUsdValue: new Decimal(total) }));
  const watch = createTotalsWatch({
    tenantId: 'tenant',
    portfolio: { getPortfolio },
    feed: { currentVersion: async () => ({ own: 1n, shared: 1n, key: `v${total}` }) },
    lastSeq: () => 7n,
    log: { warn: () => undefined },
  });
  const heard: string[] = [];
  watch.listeners.add(({ portfolio }) => void heard.push(portfolio.totalUsdValue?.toFixed() ?? ''));
  const set = (value: number): void => {
    total = value;
  };
  return { watch, heard, getPortfolio, set };
}

it('works out once for all who ask at the same time, and tells of changes only', async () => {
  const { watch, heard, getPortfolio, set } = setup();
  const [first] = await Promise.all(Array.from({ length: 100 }, () => watch.get()));
  expect(first).toMatchObject({ seq: 7n, version: 'v1' });
  expect(getPortfolio).toHaveBeenCalledOnce();
  watch.hear();
  await expect.poll(() => getPortfolio.mock.calls.length, PATIENCE).toBe(2);
  set(2);
  for (let index = 0; index < 100; index++) watch.hear();
  await expect.poll(() => heard, PATIENCE).toEqual(['2']);
  expect(getPortfolio.mock.calls.length).toBeLessThanOrEqual(3);
  watch.close();
});

it('misses no change that comes while it works, and goes on when it could not', async () => {
  const { watch, heard, getPortfolio, set } = setup();
  const reading = Promise.withResolvers<void>();
  getPortfolio.mockImplementationOnce(async () => {
    await reading.promise;
    return { ...EMPTY, totalUsdValue: new Decimal(1) };
  });
  const first = watch.get();
  set(3);
  watch.hear();
  getPortfolio.mockImplementationOnce(async () => {
    throw new Error('the database is gone');
  });
  reading.resolve();
  expect((await first).portfolio.totalUsdValue?.toFixed()).toBe('1');
  await expect.poll(() => heard, PATIENCE).toEqual(['3']);
  watch.close();
});
