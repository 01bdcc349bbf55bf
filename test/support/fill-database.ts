import { type Kysely, sql } from 'kysely';
import { createBalanceStore } from '../../src/db/balance-store.ts';
import { createSnapshotStore } from '../../src/db/history/snapshot-store.ts';
import { createPriceStore } from '../../src/db/price-store.ts';
import type { Schema } from '../../src/db/schema.ts';
import { createWalletStore } from '../../src/db/wallet-store.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { addAsset, addWallet, amountOf, at, ETHER, failureOf, readingOf, seeingAll } from './store-fixtures.ts';

const DAY = 86_400;
const DAYS = 30;

/** The last moment that the filled database knows of. */
export const FILLED_UNTIL = at(DAYS * DAY);

/** A month of daily snapshots with gaps, of wallets that come and go, with a ledger, settings, and at least a row in every table that an export holds. */
export async function fillDatabase(db: Kysely<Schema>): Promise<void> {
  const [balances, snapshots] = [createBalanceStore(seeingAll(db)), createSnapshotStore(seeingAll(db))];
  const alice = await addWallet(db, TENANT, { label: 'cold, “quoted” \\ and \n broken', name: 'alice.eth' });
  const bob = await addWallet(db, TENANT);
  const gone = await addWallet(db, TENANT);
  const ether = await addAsset(db, ETHER);
  const token = await addAsset(db, { decimals: 6, symbol: 'ÜSD\t"', listed: true });
  const spam = await addAsset(db, { decimals: 0, symbol: 'FREE', flags: ['transfer_fee'] });
  for (let day = 1; day <= DAYS; day++) {
    const now = day * DAY;
    await quote(db, ether.id, now, `${1800 + day * 7}.${day}`);
    await quote(db, token.id, now, '1.0001000');
    await createPriceStore(seeingAll(db)).saveRates([
      { currency: 'EUR', perUsd: `0.9${day}`, source: 'test', quotedAt: at(now) },
    ]);
    const moved = BigInt(Math.floor(day / 5)) * 10n ** 17n;
    await balances.saveReadings(TENANT, [
      readingOf(alice, now, [amountOf(ether, 10n ** 18n + moved), amountOf(token, 5_000_000n), amountOf(spam, 2n ** 255n + 1n)]),
      day % 9 === 0 ? failureOf(bob, now) : readingOf(bob, now, [amountOf(token, BigInt(day) * 1_000_000n)]),
      ...(day < 12 ? [readingOf(gone, now, [amountOf(ether, 3n)])] : []),
    ]);
    if (day === 12) await createWalletStore(seeingAll(db)).delete(TENANT, gone.id);
    const missing =
      day % 9 === 0
        ? [
            {
              walletId: bob.id,
              chain: 'ethereum',
              kind: 'balances',
              reason: 'failed',
              observedAt: at(now - DAY),
              code: 'upstream_timeout',
            } as const,
          ]
        : [];
    const excludedAssetIds = day > 3 ? [spam.id] : [];
    await snapshots.take(TENANT, { at: at(now), grade: missing.length > 0 ? 'partial' : 'full', missing, excludedAssetIds });
  }
  await fillLedger(db, { walletId: alice.id, assetId: ether.id });
  await fillTheRest(db, { walletId: alice.id, assetId: token.id });
}

async function quote(db: Kysely<Schema>, assetId: string, seconds: number, value: string): Promise<void> {
  const lastGood = { value: new Decimal(value), source: 'test', quotedAt: at(seconds) };
  const attempts = [{ source: 'other', reason: 'not_quoted' } as const];
  await createPriceStore(seeingAll(db)).savePrices(
    new Map([[assetId, { assetId, lastGood, suspect: null, checkedAt: at(seconds), attempts }]]),
  );
}

type Place = { readonly walletId: string; readonly assetId: string };

async function fillLedger(db: Kysely<Schema>, { walletId, assetId }: Place): Promise<void> {
  const kinds = ['deposit', 'transfer', 'fee', 'income'];
  for (const [index, kind] of kinds.entries()) {
    await sql`
      insert into ledger_entries (tenant_id, wallet_id, chain, asset_id, occurred_at, kind, amount_raw, tx_hash, block_number, origin, reference, price, price_currency, note)
      values (${TENANT}, ${walletId}, 'ethereum', ${assetId}, ${at((index + 1) * 5 * DAY)}, ${kind}, ${kind === 'fee' ? '-21000' : '100000000000000000'},
        ${`0x${index}`}, ${1000 + (index + 1) * 5 * DAY}, ${kind === 'transfer' ? 'chain' : 'manual'}, ${`ref-${index}`}, '1800.50', 'EUR', ${kind === 'income' ? 'note, “odd”\n' : null})`.execute(
      db,
    );
  }
}

async function fillTheRest(db: Kysely<Schema>, { walletId, assetId }: Place): Promise<void> {
  await sql`insert into tenant_quotas (tenant_id, wallets) values (${TENANT}, 1000)`.execute(db);
  await sql`insert into rpc_endpoints (tenant_id, chain, url) values (${TENANT}, 'ethereum', 'https://rpc.example/v2/key')`.execute(
    db,
  );
  await sql`
    insert into asset_settings (tenant_id, asset_id, spam, manual_price, manual_price_set_at)
    values (${TENANT}, ${assetId}, 'not_spam', 1.10, ${at(0)})`.execute(db);
  await sql`insert into history_thinning (tenant_id, bucket, through) values (${TENANT}, 'hour', ${at(0)})`.execute(db);
  await sql`
    insert into transfer_imports (tenant_id, wallet_id, chain, from_block, through_block, cursor, attempted_at, outcome)
    values (${TENANT}, ${walletId}, 'ethereum', 1, 9007199254740993, 'here', ${at(1)}, 'ok')`.execute(db);
  await sql`
    insert into backfills (tenant_id, wallet_id, status, from_day, through_day, next_day, days_total, days_done, finished_at)
    values (${TENANT}, ${walletId}, 'finished', '2026-01-01', '2026-02-01', null, 31, 31, ${at(2)})`.execute(db);
  await sql`
    insert into backfill_chains (tenant_id, wallet_id, chain, ordinal, known_from, status, reached_day)
    values (${TENANT}, ${walletId}, 'ethereum', 0, ${at(3)}, 'ok', '2026-01-01')`.execute(db);
  await sql`
    insert into webhooks (tenant_id, url, description, event_types, secret)
    values (${TENANT}, 'https://hooks.example/a', 'mine, “odd”', '{snapshot.missed}', '\\x00ff10')`.execute(db);
  await sql`
    insert into alerts (tenant_id, name, kind, asset_id, currency, direction, threshold, hysteresis, cooldown_seconds)
    values (${TENANT}, 'dear', 'price', ${assetId}, 'EUR', 'above', 1.000000000000000000001, 0.05, 60)`.execute(db);
}
