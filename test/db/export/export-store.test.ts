import fc from 'fast-check';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportEverything, type RowCounts } from '../../../src/db/export/export-store.ts';
import { EXPORT_TABLES, TABLES_LEFT_OUT } from '../../../src/db/export/export-tables.ts';
import { importEverything } from '../../../src/db/export/import-store.ts';
import { ensureMonth } from '../../../src/db/history/snapshot-store.ts';
import type { Schema } from '../../../src/db/schema.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import { fillDatabase } from '../../support/fill-database.ts';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.ts';

let [source, target]: TestDatabase[] = [];
let filled: readonly string[];
let counts: RowCounts = {};

async function readExport(
  { db }: TestDatabase = mustHave(source),
  onCounted = (_: RowCounts): void => undefined,
): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const some of exportEverything(db, onCounted)) lines.push(...some);
  return lines;
}

function mustHave<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('set up first');
  return value;
}

const store = (lines: Iterable<string>): Promise<RowCounts> => importEverything(mustHave(target).db, streamOf(lines));

async function* streamOf(lines: Iterable<string>): AsyncGenerator<string> {
  yield* lines;
}

async function empty(db: Kysely<Schema>): Promise<void> {
  for (const { name } of EXPORT_TABLES.toReversed()) await sql`delete from ${sql.table(name)}`.execute(db);
}

beforeAll(async () => {
  [source, target] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await fillDatabase(mustHave(source).db);
  filled = await readExport(source, (all) => {
    counts = all;
  });
});
beforeEach(() => empty(mustHave(target).db));
afterAll(() => Promise.all([source?.close(), target?.close()]));

describe('an export', () => {
  it('decides on every table there is', async () => {
    const { rows } = await sql<{ name: string }>`
      select relname as name from pg_class
      where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname !~ '^kysely_'`.execute(
      mustHave(source).db,
    );
    expect(rows.map(({ name }) => name).toSorted()).toEqual(
      [...EXPORT_TABLES.map(({ name }) => name), ...TABLES_LEFT_OUT].toSorted(),
    );
  });

  it('is tried with rows in every table', () => {
    expect(Object.entries(counts).filter(([, count]) => count === 0)).toEqual([]);
  });

  it('comes back as it was', async () => {
    expect(await store(filled)).toEqual(counts);
    expect(await readExport(target)).toEqual(filled);
  });

  it('tells one moment, whatever is written meanwhile', async () => {
    const lines: string[] = [];
    for await (const some of exportEverything(mustHave(source).db, () => undefined)) {
      if (lines.length === 0) await sql`insert into tenants (name) values ('late')`.execute(mustHave(source).db);
      lines.push(...some);
    }
    await sql`delete from tenants where name = 'late'`.execute(mustHave(source).db);
    expect(lines).toEqual(filled);
  });

  it('changes what caches go by', async () => {
    const version = async (): Promise<unknown> =>
      (await sql`select * from data_versions order by tenant_id`.execute(mustHave(target).db)).rows;
    const before = await version();
    await store(filled);
    expect(await version()).not.toEqual(before);
  });
});

it('keeps every amount, text and time as it is', async () => {
  const { db } = mustHave(target);
  for (const table of ['holding_points', 'price_points'] as const) await ensureMonth(db, table, new Date('2024-02-01'));
  const text = fc.string({ unit: 'binary', maxLength: 40 }).map((one) => one.replaceAll('\0', ''));
  const wallet = fc.record({
    label: fc.option(text),
    address: fc.uuid(),
    symbol: fc.option(text),
    amount: fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }),
    price: fc.tuple(fc.bigInt({ min: 1n, max: 10n ** 60n }), fc.integer({ min: 0, max: 50 })),
    at: fc.date({ min: new Date('2024-02-01'), max: new Date('2024-02-29T23:59:59.999Z'), noInvalidDate: true }),
    missing: fc.array(fc.record({ walletId: fc.uuid(), reason: text, big: fc.constant('9007199254740993') })),
  });
  const wallets = fc.uniqueArray(wallet, { minLength: 1, maxLength: 6, selector: ({ address }) => address });
  await fc.assert(
    fc.asyncProperty(wallets, async (rows) => {
      await empty(db);
      await sql`insert into tenants (id, name) values (${TENANT}, 'default')`.execute(db);
      for (const { label, address, symbol, amount, price, at, missing } of rows)
        await insert(db, { label, address, symbol, amount, price, at, missing });
      const first = await readExport(target);
      await empty(db);
      await store(first);
      expect(await readExport(target)).toEqual(first);
    }),
    { numRuns: 8 },
  );
}, 60_000);

type Drawn = {
  label: string | null;
  address: string;
  symbol: string | null;
  amount: bigint;
  price: [bigint, number];
  at: Date;
  missing: object[];
};

async function insert(
  db: Kysely<Schema>,
  { label, address, symbol, amount, price: [digits, shift], at, missing }: Drawn,
): Promise<void> {
  await sql`
    with wallet as (
      insert into wallets (tenant_id, family, address, label) values (${TENANT}, 'evm', ${address}, ${label}) returning id
    ), asset as (
      insert into assets (chain, address, standard, symbol, listed) values ('ethereum', ${address}, 'erc20', ${symbol}, false) returning id
    ), price as (
      insert into price_points (asset_id, at, value, source)
      select id, ${at}, ${String(digits)}::numeric / (10::numeric ^ ${shift}), 'test' from asset
    ), snapshot as (
      insert into snapshots (tenant_id, at, grade, missing) values (${TENANT}, ${at}, 'partial', ${JSON.stringify(missing)}::jsonb)
      on conflict do nothing
    )
    insert into holding_points (tenant_id, wallet_id, asset_id, position, at, amount_raw)
    select ${TENANT}, wallet.id, asset.id, 'wallet', ${at}, ${String(amount)} % (10::numeric ^ 77) from wallet, asset`.execute(
    db,
  );
}

describe('an import', () => {
  const header = (): object => JSON.parse(mustHave(filled[0]));
  const withHeader = (changes: object): readonly string[] => [JSON.stringify({ ...header(), ...changes }), ...filled.slice(1)];

  it.each<[string, () => Iterable<string>, RegExp]>([
    ['what is no export', () => ['{"hello":1}'], /no export/],
    ['nothing at all', () => [], /no export/],
    ['a newer format', () => withHeader({ version: 2 }), /newer chainfolio made this export \(format 2\)/],
    ['a newer schema', () => withHeader({ schema: '29990101-0000-future' }), /newer chainfolio/],
    ['rows too few', () => filled.slice(0, -1), /other rows than its first line says/],
    ['an unknown column', () => filled.map((line) => line.replace('"label"', '"colour"')), /not known here: colour of wallets/],
    [
      'an unknown table',
      () => filled.map((line) => line.replace('"table":"fx_rates"', '"table":"secrets"')),
      /not known here: secrets/,
    ],
    ['a row that does not fit', () => filled.map((line) => line.replace('["EUR", ', '[')), /row of fx_rates that does not fit/],
    ['a line that is nothing', () => [...filled, '{"what":true}'], /neither a table nor a row/],
  ])('refuses %s and stores nothing', async (_, lines, message) => {
    await expect(store(lines())).rejects.toThrow(message);
    expect((await sql`select from assets`.execute(mustHave(target).db)).rows).toEqual([]);
  });

  it('refuses a database that holds data', async () => {
    await store(filled);
    await expect(store(filled)).rejects.toThrow('The database holds data already (wallets)');
  });

  it('takes an export of before a column was there', async () => {
    const place = (
      JSON.parse(mustHave(filled.find((line) => line.startsWith('{"table":"snapshots"')))).columns as string[]
    ).indexOf('healed_at');
    let isSnapshots = false;
    const older = withHeader({ schema: '20261121-1010-ledger' }).map((line, index) => {
      if (index === 0) return line;
      const value = JSON.parse(line);
      if (value.table !== undefined) isSnapshots = value.table === 'snapshots';
      if (!isSnapshots) return line;
      (value.columns ?? value).splice(place, 1);
      return JSON.stringify(value);
    });
    expect(place).toBeGreaterThan(0);
    expect(await store(older)).toEqual(counts);
  });
});
