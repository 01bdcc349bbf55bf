import { type Kysely, sql } from 'kysely';
import type { Asset, AssetRef } from '../domain/asset.ts';
import { Decimal } from '../domain/decimal.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { Block, Holding, Position, SourceError, SourceReading, SourceState } from '../domain/holding.ts';
import { noteChange } from './data-version.ts';
import { recordEvents } from './events/record-events.ts';
import { saveReadings } from './save-readings.ts';
import type { Schema } from './schema.ts';
import { selectAssets } from './select-assets.ts';
import type { TenantDb } from './tenant-db.ts';
import { inTransaction } from './transaction.ts';
import { isUuid } from './uuid.ts';

export type BalanceFilter = { readonly walletIds: readonly string[] | null; readonly chains: readonly string[] | null };

export type BalanceStore = {
  /**
   * Stores the outcome of reads in one transaction; every asset named in them must be in the asset store. Rules of truth:
   * a failed source keeps its amounts and notes the failure; a failed reading keeps the asset's last amount (null if none) with its error;
   * a zero is stored only over an existing row, except for the chain's own coin; in an exhaustive reading every stored asset
   * that is not named becomes zero at that block. A reading older than what is stored (by observedAt) is ignored. Readings of a wallet that was
   * deleted meanwhile, or of a chain it no longer follows, are dropped silently.
   */
  saveReadings(tenantId: string, readings: readonly SourceReading[]): Promise<void>;
  /** Stored amounts, zero ones left out unless they failed or are the chain's own coin. Sorted by wallet, chain, asset. */
  listHoldings(tenantId: string, filter: BalanceFilter): Promise<readonly Holding[]>;
  /** One state for every wallet, chain and kind that was ever attempted. */
  listSources(tenantId: string, filter: BalanceFilter): Promise<readonly SourceState[]>;
  /** Assets whose price somebody needs: with a non-zero or unknown amount in any wallet of any tenant, or with an alert about their price. */
  listAssetsToPrice(): Promise<readonly (AssetRef & { readonly id: string })[]>;
};

export function createBalanceStore(db: TenantDb): BalanceStore {
  return {
    async saveReadings(tenantId, readings) {
      if (readings.length === 0) return;
      await inTransaction(db.of(tenantId), async (trx) => {
        await recordEvents(trx, tenantId, await saveReadings(trx, tenantId, readings));
        await noteChange(trx, tenantId);
      });
    },
    async listHoldings(tenantId, filter) {
      const own = db.of(tenantId);
      const rows = await selectHoldings(own, tenantId, filter);
      const assets = await selectAssets(own)
        .where(sql<boolean>`id = any(${[...new Set(rows.map((row) => row.asset_id))]}::uuid[])`)
        .execute();
      const byId = new Map(assets.map((asset) => [asset.id, asset]));
      return rows.flatMap((row) => {
        const asset = byId.get(row.asset_id);
        return asset === undefined ? [] : [toHolding(row, asset)];
      });
    },
    async listSources(tenantId, { walletIds, chains }) {
      let query = db
        .of(tenantId)
        .selectFrom('sources as s')
        .leftJoin('wallet_schedules as w', (join) =>
          join.onRef('w.tenant_id', '=', 's.tenant_id').onRef('w.wallet_id', '=', 's.wallet_id').onRef('w.chain', '=', 's.chain'),
        )
        .selectAll('s')
        .select('w.interval_seconds')
        .where('s.tenant_id', '=', tenantId);
      if (walletIds !== null) query = query.where(sql<boolean>`s.wallet_id = any(${walletIds.filter(isUuid)}::uuid[])`);
      if (chains !== null) query = query.where(sql<boolean>`s.chain = any(${chains}::text[])`);
      const rows = await query.orderBy('s.wallet_id').orderBy('s.chain').orderBy('s.kind').execute();
      return rows.map((row) => ({
        walletId: row.wallet_id,
        chain: row.chain,
        kind: row.kind,
        observedAt: row.observed_at,
        block: toBlock(row),
        lastAttemptAt: row.attempted_at,
        lastOutcome: row.outcome,
        intervalSeconds: row.interval_seconds,
        error: toSourceError(row),
      }));
    },
    listAssetsToPrice: () =>
      db.all
        .selectFrom('assets')
        .select(['id', 'chain', 'address'])
        .where(
          sql<boolean>`exists (
            select from balances b where b.asset_id = assets.id and (b.amount_raw is null or b.amount_raw > 0)
          ) or exists (
            select from alerts a where a.asset_id = assets.id and a.kind = 'price' and a.enabled
          )`,
        )
        .orderBy('id')
        .execute(),
  };
}

type BlockColumns = { readonly block_number: string | null; readonly block_hash: string | null };
type ErrorColumns = { readonly error_code: ErrorCode | null; readonly error_provider: string | null };
type HoldingRow = BlockColumns &
  ErrorColumns & {
    readonly wallet_id: string;
    readonly asset_id: string;
    readonly position: Position;
    readonly amount_raw: string | null;
    readonly frozen_raw: string;
    readonly ui_amount: string | null;
    readonly ui_multiplier: string | null;
    readonly observed_at: Date | null;
  };

async function selectHoldings(
  db: Kysely<Schema>,
  tenantId: string,
  { walletIds, chains }: BalanceFilter,
): Promise<readonly HoldingRow[]> {
  const { rows } = await sql<HoldingRow>`
    select b.wallet_id, b.asset_id, b.position, b.amount_raw, b.frozen_raw, b.ui_amount, b.ui_multiplier,
      b.observed_at, b.block_number, b.block_hash, b.error_code, b.error_provider
    from balances b join assets a on a.id = b.asset_id
    where b.tenant_id = ${tenantId}
      and (b.amount_raw > 0 or b.error_code is not null or a.address is null)
      and (${walletIds === null} or b.wallet_id = any(${walletIds?.filter(isUuid) ?? []}::uuid[]))
      and (${chains === null} or b.chain = any(${chains ?? []}::text[]))
    order by b.wallet_id, b.chain, b.asset_id, b.position`.execute(db);
  return rows;
}

function toHolding(row: HoldingRow, asset: Asset): Holding {
  const { ui_amount: uiAmount, ui_multiplier: uiMultiplier } = row;
  return {
    walletId: row.wallet_id,
    asset,
    position: row.position,
    amountRaw: row.amount_raw === null ? null : BigInt(row.amount_raw),
    frozenRaw: BigInt(row.frozen_raw),
    ui:
      uiAmount === null || uiMultiplier === null
        ? null
        : { amount: new Decimal(uiAmount), multiplier: new Decimal(uiMultiplier) },
    observedAt: row.observed_at,
    block: toBlock(row),
    error: toSourceError(row),
  };
}

function toBlock({ block_number: number, block_hash: hash }: BlockColumns): Block | null {
  return number === null ? null : { number: BigInt(number), hash };
}

function toSourceError({ error_code: code, error_provider: provider }: ErrorColumns): SourceError | null {
  return code === null ? null : { code, provider };
}
