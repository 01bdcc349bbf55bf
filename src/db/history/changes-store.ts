import { type Kysely, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import type { Block, Position } from '../../domain/holding.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { RATE_MAX_AGE_SECONDS } from './history-store.ts';

/** What was known of a price when a snapshot was taken. `source` and `quotedAt` are null where only the value was kept. */
export type PriceAt = { readonly value: Decimal; readonly source: string | null; readonly quotedAt: Date | null };

/** A holding as a snapshot has it. */
export type HoldingAt = {
  readonly walletId: string;
  readonly assetId: string;
  readonly position: Position;
  readonly chain: string;
  readonly amountRaw: bigint;
  /** Where the amount was first read; null for a holding that nobody read any more when it ended at zero. */
  readonly block: Block | null;
  /** In US dollars; null when none was known. */
  readonly price: PriceAt | null;
};

export type WalletAsset = { readonly walletId: string; readonly assetId: string };

/** Units of a currency that a dollar bought. */
export type RateAt = { readonly perUsd: Decimal; readonly source: string | null; readonly quotedAt: Date | null };

/** What was held at single snapshots, wallet by wallet. */
export type ChangesStore = {
  /** Every holding that had an amount at this snapshot or before it, also those that are at zero. Its cost follows what was ever held, not the snapshots kept. */
  readHoldings(tenantId: string, snapshotAt: Date): Promise<readonly HoldingAt[]>;
  /** What was in these wallets when they were first read on a chain and had anything there; all else came later. */
  listOpenings(tenantId: string, walletIds: readonly string[]): Promise<readonly WalletAsset[]>;
  /** The assets that counted as spam, or were held back, by the snapshot's own word. */
  readExcluded(tenantId: string, snapshotAt: Date): Promise<ReadonlySet<string>>;
  /** As it was last known at the moment; undefined when it was not. */
  findRate(currency: string, moment: Date): Promise<RateAt | undefined>;
};

export function createChangesStore(db: TenantDb): ChangesStore {
  return {
    readHoldings: (tenantId, snapshotAt) => readHoldings(db.of(tenantId), tenantId, snapshotAt),
    listOpenings: (tenantId, walletIds) => listOpenings(db.of(tenantId), tenantId, walletIds),
    async readExcluded(tenantId, snapshotAt) {
      const { rows } = await sql<{ asset_id: string }>`
        select asset_id from (
          select distinct on (asset_id) asset_id, is_excluded from exclusion_points
          where tenant_id = ${tenantId} and at <= ${snapshotAt} order by asset_id, at desc
        ) said
        where is_excluded`.execute(db.of(tenantId));
      return new Set(rows.map((row) => row.asset_id));
    },
    async findRate(currency, moment) {
      const row = await db.all
        .selectFrom('fx_points')
        .select(['per_usd', 'source', 'at'])
        .where('currency', '=', currency)
        .where('at', '<=', moment)
        .where('at', '>', new Date(moment.getTime() - RATE_MAX_AGE_SECONDS * 1000))
        .orderBy('at', 'desc')
        .limit(1)
        .executeTakeFirst();
      return row && { perUsd: new Decimal(row.per_usd), source: row.source, quotedAt: row.at };
    },
  };
}

type HoldingRow = {
  readonly wallet_id: string;
  readonly asset_id: string;
  readonly position: Position;
  readonly chain: string;
  readonly amount_raw: string;
  readonly block_number: string | null;
  readonly block_hash: string | null;
  readonly price: string | null;
  readonly source: string | null;
  readonly quoted_at: Date | null;
};

async function readHoldings(db: Kysely<Schema>, tenantId: string, snapshotAt: Date): Promise<readonly HoldingAt[]> {
  const { rows } = await sql<HoldingRow>`
    with quotes as materialized (
      select a.asset_id, coalesce(h.price, d.price, p.value) as price, p.value as quoted, p.source, p.at
      from (select distinct asset_id from holding_series where tenant_id = ${tenantId}) a
      left join lateral (${bucketPrice(tenantId, 'hour', snapshotAt)}) h on true
      left join lateral (${bucketPrice(tenantId, 'day', snapshotAt)}) d on true
      left join lateral (
        select value, source, at from price_points p where p.asset_id = a.asset_id and p.at <= ${snapshotAt} order by p.at desc limit 1
      ) p on true
    )
    select s.wallet_id, s.asset_id, s.position, s.chain, amount.amount_raw, amount.block_number, amount.block_hash, q.price,
      case when q.price = q.quoted then q.source end as source, case when q.price = q.quoted then q.at end as quoted_at
    from holding_series s
    cross join lateral (
      select p.amount_raw, p.block_number, p.block_hash from holding_points p
      where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position
        and p.at <= ${snapshotAt}
      order by p.at desc limit 1
    ) amount
    join quotes q on q.asset_id = s.asset_id
    where s.tenant_id = ${tenantId}
    order by s.wallet_id, s.asset_id, s.position`.execute(db);
  return rows.map(toHolding);
}

/** The first point of what moved soon after may have been let go since: what the first snapshot shows that is left was there from the beginning. */
async function listOpenings(db: Kysely<Schema>, tenantId: string, walletIds: readonly string[]): Promise<readonly WalletAsset[]> {
  const { rows } = await sql<{ wallet_id: string; asset_id: string }>`
    select wallet_id, asset_id from (
      select s.wallet_id, s.asset_id, min(first.at) as at, min(min(first.at)) over (partition by s.wallet_id, s.chain) as opened_at
      from holding_series s
      cross join lateral (
        select p.at from holding_points p
        where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position
        order by p.at limit 1
      ) first
      where s.tenant_id = ${tenantId} and s.wallet_id = any(${walletIds}::uuid[])
      group by s.wallet_id, s.chain, s.asset_id
    ) firsts
    where not exists (select from snapshots t where t.tenant_id = ${tenantId} and t.at >= opened_at and t.at < firsts.at)`.execute(
    db,
  );
  return rows.map((row) => ({ walletId: row.wallet_id, assetId: row.asset_id }));
}

/** What the bucket has that tells this very snapshot: charts go by it, and points that are as close as it may have been let go since. */
function bucketPrice(tenantId: string, bucket: 'hour' | 'day', snapshotAt: Date): ReturnType<typeof sql> {
  const start = new Date(snapshotAt);
  start.setUTCMinutes(0, 0, 0);
  if (bucket === 'day') start.setUTCHours(0);
  return sql`
    select b.price from ${sql.table(`snapshot_${bucket}s`)} s
    join ${sql.table(`asset_${bucket}s`)} b on b.tenant_id = s.tenant_id and b.bucket = s.bucket
    where s.tenant_id = ${tenantId} and s.bucket = ${start} and s.at = ${snapshotAt} and b.asset_id = a.asset_id`;
}

function toHolding(row: HoldingRow): HoldingAt {
  const { block_number: number, block_hash: hash, price } = row;
  return {
    walletId: row.wallet_id,
    assetId: row.asset_id,
    position: row.position,
    chain: row.chain,
    amountRaw: BigInt(row.amount_raw),
    block: number === null ? null : { number: BigInt(number), hash },
    price: price === null ? null : { value: new Decimal(price), source: row.source, quotedAt: row.quoted_at },
  };
}
