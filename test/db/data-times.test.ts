import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readDataTimes } from '../../src/db/data-times.ts';
import { createTestDatabase, type TestDatabase } from '../support/test-database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

it('finds the oldest reading of each chain and the newest quote of each source', async () => {
  const { db } = database;
  expect(await readDataTimes(db)).toEqual({ oldestReadings: new Map(), newestQuotes: new Map(), newestSnapshots: new Map() });
  await sql`
    with wallet as (
      insert into wallets (tenant_id, family, address)
      select (select id from tenants limit 1), 'evm', 'address ' || n from generate_series(1, 3) as n returning tenant_id, id, address
    ), followed as (
      insert into wallet_chains (tenant_id, wallet_id, chain, ordinal)
      select tenant_id, id, chain, 0 from wallet, unnest(array['ethereum', 'base', 'gnosis']) as chain returning *
    )
    insert into sources (tenant_id, wallet_id, chain, kind, observed_at, block_number, attempted_at, outcome, error_code)
    select tenant_id, wallet_id, chain, 'balances', null, null, now(), 'failed', 'upstream_timeout' from followed`.execute(db);
  await sql`
    update sources set observed_at = '2026-11-21T08:00:00Z', block_number = 1
    where chain = 'ethereum' or (chain = 'base' and wallet_id = (select min(wallet_id::text)::uuid from sources))`.execute(db);
  await sql`
    update sources set observed_at = '2026-11-21T07:30:00Z'
    where chain = 'ethereum' and wallet_id = (select max(wallet_id::text)::uuid from sources)`.execute(db);
  await sql`
    with asset as (
      insert into assets (chain, address, standard, listed) select 'ethereum', 'token ' || n, 'erc20', false from generate_series(1, 3) as n
      returning id, right(address, 1)::integer as n
    )
    insert into prices (asset_id, good_value, good_source, good_quoted_at, checked_at, attempts)
    select id, case when n < 3 then 1 end, case when n < 3 then 'defillama' end,
      case when n < 3 then timestamptz '2026-11-21T08:00:00Z' + n * interval '1 minute' end, now(), '[]' from asset`.execute(db);
  expect(await readDataTimes(db)).toEqual({
    oldestReadings: new Map([
      ['base', new Date('2026-11-21T08:00:00Z')],
      ['ethereum', new Date('2026-11-21T07:30:00Z')],
    ]),
    newestQuotes: new Map([['defillama', new Date('2026-11-21T08:02:00Z')]]),
    newestSnapshots: new Map(),
  });
});

it('finds the newest snapshot, of any grade and full, as soon as every tenant with wallets has one', async () => {
  const { db } = database;
  const take = (moment: string, grade: 'full' | 'partial') =>
    sql`insert into snapshots (tenant_id, at, grade) select id, ${moment}::timestamptz, ${grade} from tenants limit 1`.execute(
      db,
    );
  await take('2026-11-21T09:00:00Z', 'partial');
  expect((await readDataTimes(db)).newestSnapshots).toEqual(new Map([['any', new Date('2026-11-21T09:00:00Z')]]));
  await take('2026-11-21T10:00:00Z', 'full');
  await take('2026-11-21T11:00:00Z', 'partial');
  expect((await readDataTimes(db)).newestSnapshots).toEqual(
    new Map([
      ['any', new Date('2026-11-21T11:00:00Z')],
      ['full', new Date('2026-11-21T10:00:00Z')],
    ]),
  );
});
