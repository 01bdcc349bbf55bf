import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createPriceStore, type PriceStore } from '../../src/db/price-store.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import type { MarketPrice, Quote } from '../../src/domain/price.ts';
import { addAsset, at, UNKNOWN_ID } from '../support/store-fixtures.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
let store: PriceStore;
beforeAll(async () => {
  database = await createTestDatabase();
  store = createPriceStore(database.tenants);
});
afterAll(() => database.close());

const quote = (value: string, seconds = 0): Quote => ({ value: new Decimal(value), source: 'defillama', quotedAt: at(seconds) });
const price = (overrides: Partial<MarketPrice> = {}): MarketPrice => ({
  lastGood: quote('1'),
  suspect: null,
  checkedAt: at(1),
  attempts: [],
  ...overrides,
});

it('gives back what was saved, and nothing for what was never asked about', async () => {
  const [a, b, c] = [await addAsset(database.db), await addAsset(database.db), await addAsset(database.db)];
  const prices = new Map([
    [a.id, price({ suspect: quote('99', 5) })],
    [
      b.id,
      price({
        lastGood: null,
        attempts: [
          { source: 'coingecko', reason: 'quote_absurd', detail: '1e30 \'"{}' },
          { source: 'defillama', reason: 'not_quoted' },
        ],
      }),
    ],
  ]);
  await store.savePrices(prices);
  expect(await store.getPrices([a.id, b.id, c.id, UNKNOWN_ID, 'nonsense'])).toEqual(prices);
  await store.savePrices(new Map());
});

it('writes an entry whole, unless a later check is stored', async () => {
  const { id } = await addAsset(database.db);
  await store.savePrices(new Map([[id, price({ suspect: quote('5'), attempts: [{ source: 'x', reason: 'no_source' }] })]]));
  await store.savePrices(new Map([[id, price({ lastGood: quote('2'), checkedAt: at(3) })]]));
  expect(await store.getPrices([id])).toEqual(new Map([[id, price({ lastGood: quote('2'), checkedAt: at(3) })]]));
  await store.savePrices(new Map([[id, price({ lastGood: quote('9'), checkedAt: at(2) })]]));
  await store.savePrices(new Map([[id, price({ lastGood: quote('9'), checkedAt: null })]]));
  expect((await store.getPrices([id])).get(id)?.lastGood?.value.toFixed()).toBe('2');
  await store.savePrices(new Map([[id, price({ lastGood: quote('3'), checkedAt: at(3) })]]));
  expect((await store.getPrices([id])).get(id)?.lastGood?.value.toFixed()).toBe('3');
});

it('keeps every digit of a price', async () => {
  const { id } = await addAsset(database.db);
  let seconds = 10;
  await fc.assert(
    fc.asyncProperty(fc.bigInt({ min: 1n, max: 10n ** 60n }), fc.integer({ min: -30, max: 20 }), async (digits, exponent) => {
      const value = new Decimal(digits.toString()).shiftedBy(exponent);
      await store.savePrices(new Map([[id, price({ lastGood: { ...quote('1'), value }, checkedAt: at(++seconds) })]]));
      expect((await store.getPrices([id])).get(id)?.lastGood?.value.toFixed()).toBe(value.toFixed());
    }),
    { numRuns: 40 },
  );
});

it('keeps what a source said without what Postgres cannot store', async () => {
  const { id } = await addAsset(database.db);
  await store.savePrices(
    new Map([[id, price({ attempts: [{ source: 'x', reason: 'quote_not_a_number', detail: 'a\u0000b\ud800' }] })]]),
  );
  expect((await store.getPrices([id])).get(id)?.attempts).toEqual([
    { source: 'x', reason: 'quote_not_a_number', detail: 'ab\ufffd' },
  ]);
});

it('saves the same prices at once in different orders without a deadlock', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 50; index++) ids.push((await addAsset(database.db)).id);
  await Promise.all(
    [1, 2, 3, 4, 5, 6].map((seconds) =>
      store.savePrices(
        new Map((seconds % 2 === 0 ? ids : ids.toReversed()).map((id) => [id, price({ checkedAt: at(seconds) })])),
      ),
    ),
  );
  const stored = await store.getPrices(ids);
  expect([...stored.values()].every((entry) => entry.checkedAt?.getTime() === at(6).getTime())).toBe(true);
});

it('keeps the last known rate of each currency', async () => {
  const rate = (currency: string, perUsd: string, seconds: number) => ({
    currency,
    perUsd,
    source: 'ecb',
    quotedAt: at(seconds),
  });
  await store.saveRates([rate('EUR', '0.90', 1), rate('BTC', '0.00001', 1), rate('EUR', '0.91', 2)]);
  await store.saveRates([rate('EUR', '0.5', 1)]);
  await store.saveRates([]);
  expect(await store.getRates(['EUR', 'BTC', 'XXX'])).toEqual(
    new Map([
      ['EUR', rate('EUR', '0.91', 2)],
      ['BTC', rate('BTC', '0.00001', 1)],
    ]),
  );
});
