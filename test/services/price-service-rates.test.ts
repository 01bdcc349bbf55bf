import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { FxSource } from '../../src/adapters/price-source.ts';
import { createPriceStore, type PriceStore } from '../../src/db/price-store.ts';
import { AppError } from '../../src/domain/errors.ts';
import { createPriceService, type PriceService } from '../../src/services/price-service.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

const MINUTE_MS = 60_000;
const signal = new AbortController().signal;
let database: TestDatabase;
let store: PriceStore;
let now: Date;

beforeAll(async () => {
  database = await createTestDatabase();
  store = createPriceStore(database.tenants);
});
beforeEach(async () => {
  await database.db.deleteFrom('fx_rates').execute();
  now = new Date('2026-11-21T12:00:00Z');
});
afterAll(() => database?.close());

type Script = Readonly<Record<string, string>> | 'down';

/** A source that tells what its script says at the moment, and counts how often it was asked. */
function scripted(id: string, first: Script): FxSource & { script: Script; asked: number } {
  const source = {
    id,
    script: first,
    asked: 0,
    async fetchRates() {
      source.asked += 1;
      if (source.script === 'down') throw new AppError('upstream_unreachable', 'gone');
      const entries = Object.entries(source.script);
      return new Map(entries.map(([currency, perUsd]) => [currency, { currency, perUsd, source: id, quotedAt: now }]));
    },
  };
  return source;
}

function createService(...fxSources: readonly FxSource[]): PriceService {
  return createPriceService({ sources: [], fxSources, store, now: () => now, log: { warn: () => undefined } });
}

function pass(minutes: number): void {
  now = new Date(now.getTime() + minutes * MINUTE_MS);
}

test('a missing rate is undefined, never one', async () => {
  const service = createService(scripted('a', { EUR: '0.92' }));
  expect(await service.getRate('EUR')).toBeUndefined();
  await service.refreshRates(signal);
  expect(await service.getRate('EUR')).toEqual({ currency: 'EUR', perUsd: '0.92', source: 'a', quotedAt: now });
  expect(await service.getRate('XXX')).toBeUndefined();
});

test('each currency comes from the first source that has it', async () => {
  const service = createService(scripted('a', { EUR: '0.92' }), scripted('b', { EUR: '0.93', CZK: '22.5' }));
  await service.refreshRates(signal);
  expect(await service.getRate('EUR')).toMatchObject({ perUsd: '0.92', source: 'a' });
  expect(await service.getRate('CZK')).toMatchObject({ perUsd: '22.5', source: 'b' });
});

test('a source that is gone is named, and the next one serves', async () => {
  const service = createService(scripted('a', 'down'), scripted('b', { EUR: '0.93' }));
  await service.refreshRates(signal);
  expect(await service.getRate('EUR')).toMatchObject({ source: 'b' });
  expect(service.health()).toMatchObject([
    { name: 'fx:a', status: 'degraded', error: { code: 'upstream_unreachable', provider: 'a' } },
    { name: 'fx:b', status: 'ok' },
  ]);
});

test('rates are asked for every half an hour, after a failure every minute, and once by all who wait', async () => {
  const source = scripted('a', { EUR: '0.92' });
  const service = createService(source);
  await Promise.all([service.refreshRates(signal), service.refreshRates(signal)]);
  pass(29);
  await service.refreshRates(signal);
  expect(source.asked).toBe(1);
  pass(1);
  source.script = 'down';
  await service.refreshRates(signal);
  await service.refreshRates(signal);
  expect(source.asked).toBe(2);
  expect(await service.getRate('EUR')).toMatchObject({ perUsd: '0.92' });
  pass(1);
  await service.refreshRates(signal);
  expect(source.asked).toBe(3);
});

test('a rate that jumps is believed only when two sources agree', async () => {
  const [a, b] = [scripted('a', { EUR: '0.92', JPY: '150' }), scripted('b', 'down')];
  const service = createService(a, b);
  await service.refreshRates(signal);
  pass(31);
  a.script = { EUR: '92', JPY: '151' };
  await service.refreshRates(signal);
  expect(await service.getRate('EUR')).toMatchObject({ perUsd: '0.92' });
  expect(await service.getRate('JPY')).toMatchObject({ perUsd: '151' });
  pass(31);
  b.script = { EUR: '91' };
  await service.refreshRates(signal);
  expect(await service.getRate('EUR')).toMatchObject({ perUsd: '91', source: 'b' });
});
