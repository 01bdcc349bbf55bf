import { type Kysely, sql, type Transaction } from 'kysely';
import {
  type Asset,
  type AssetInfo,
  type AssetRef,
  type AssetSettings,
  assetKey,
  DEFAULT_ASSET_SETTINGS,
} from '../domain/asset.ts';
import { type IfVersion, requireVersion } from '../domain/version.ts';
import { noteChange, SHARED_DATA_ID } from './data-version.ts';
import { toPlainDecimal } from './plain-decimal.ts';
import type { Schema } from './schema.ts';
import { selectAssets } from './select-assets.ts';
import { toStorableText } from './storable-text.ts';
import type { TenantDb } from './tenant-db.ts';
import { inTransaction } from './transaction.ts';
import { isUuid } from './uuid.ts';

export type AssetPage = { readonly assets: readonly Asset[]; readonly nextId: string | null };

export type AssetSettingsPatch = {
  readonly tracked?: boolean;
  readonly spam?: 'spam' | 'not_spam' | null;
  /** Decimal digits, or null to take the manual price away. */
  readonly manualPrice?: string | null;
  readonly acceptedPrice?: string | null;
  readonly ifVersion?: IfVersion;
};

/** Assets are facts of a chain and shared by all tenants; settings are each tenant's own. */
export type TrackedAsset = { readonly asset: Asset; readonly trackedAt: Date };

export type AssetStore = {
  /** Inserts what is new, refreshes the facts of what is known (a null never overwrites a known value), answers in the order given. */
  upsertMany(assets: readonly (AssetInfo & { readonly listed: boolean })[]): Promise<readonly Asset[]>;
  get(id: string): Promise<Asset | undefined>;
  /** Those of the ids that are known, in no order. */
  getMany(ids: readonly string[]): Promise<readonly Asset[]>;
  getByRefs(refs: readonly AssetRef[]): Promise<readonly Asset[]>;
  /** Assets the tenant holds, tracks or has settings for, by id; `chain` filters. */
  list(
    tenantId: string,
    options: { readonly limit: number; readonly afterId: string | null; readonly chain: string | null },
  ): Promise<AssetPage>;
  /** Tokens the tenant added by hand, on one chain or on all. */
  listTracked(tenantId: string, chain: string | null): Promise<readonly TrackedAsset[]>;
  /** Assets that were left out of totals when they were last held, and are held no more. */
  listLeftOut(tenantId: string): Promise<ReadonlySet<string>>;
  /** Settings by asset id; an asset without settings has no entry. */
  getSettings(tenantId: string, assetIds: readonly string[]): Promise<ReadonlyMap<string, AssetSettings>>;
  /** Sets what the patch names and keeps the rest. Throws precondition_failed when they have another version than the patch is meant for. */
  updateSettings(tenantId: string, assetId: string, patch: AssetSettingsPatch): Promise<AssetSettings>;
};

export function createAssetStore(db: TenantDb): AssetStore {
  return {
    async upsertMany(assets) {
      if (assets.length === 0) return [];
      const unique = new Map(assets.map((asset) => [assetKey(asset), asset]));
      await inTransaction(db.all, async (trx) => {
        await upsertFacts(trx, [...unique.values()]);
        await noteChange(trx, SHARED_DATA_ID);
      });
      return getByRefs(db.all, assets);
    },
    async get(id) {
      if (!isUuid(id)) return undefined;
      return selectAssets(db.all).where('id', '=', id).executeTakeFirst();
    },
    getMany: (ids) =>
      selectAssets(db.all)
        .where(sql<boolean>`id = any(${ids.filter(isUuid)}::uuid[])`)
        .execute(),
    getByRefs: (refs) => getByRefs(db.all, refs),
    async listLeftOut(tenantId) {
      const { rows } = await sql<{ asset_id: string }>`
        select asset_id from (
          select distinct on (asset_id) asset_id, is_excluded from exclusion_points where tenant_id = ${tenantId} order by asset_id, at desc
        ) last
        where is_excluded and not exists (
          select from balances b where b.tenant_id = ${tenantId} and b.asset_id = last.asset_id and b.amount_raw > 0
        )`.execute(db.of(tenantId));
      return new Set(rows.map((row) => row.asset_id));
    },
    async list(tenantId, { limit, afterId, chain }) {
      let query = selectAssets(db.of(tenantId))
        .where(sql<boolean>`id in (${listedIds(tenantId)})`)
        .orderBy('id')
        .limit(limit + 1);
      if (afterId !== null && isUuid(afterId)) query = query.where('id', '>', afterId);
      if (chain !== null) query = query.where('chain', '=', chain);
      const assets = await query.execute();
      const page = assets.slice(0, limit);
      return { assets: page, nextId: assets.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
    listTracked: (tenantId, chain) => listTracked(db.of(tenantId), tenantId, chain),
    async getSettings(tenantId, assetIds) {
      const rows = await db
        .of(tenantId)
        .selectFrom('asset_settings')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where(sql<boolean>`asset_id = any(${assetIds.filter(isUuid)}::uuid[])`)
        .execute();
      return new Map(rows.map((row) => [row.asset_id, toSettings(row)]));
    },
    updateSettings: (tenantId, assetId, patch) =>
      inTransaction(db.of(tenantId), async (trx) => {
        await checkVersion(trx, { tenantId, assetId, patch });
        const settings = await updateSettings(trx, { tenantId, assetId, patch });
        await noteChange(trx, tenantId);
        return settings;
      }),
  };
}

async function listTracked(db: Kysely<Schema>, tenantId: string, chain: string | null): Promise<readonly TrackedAsset[]> {
  const rows = await db
    .selectFrom('asset_settings')
    .select(['asset_id', 'tracked_at'])
    .where('tenant_id', '=', tenantId)
    .where('tracked_at', 'is not', null)
    .execute();
  const trackedAt = new Map(rows.map((row) => [row.asset_id, row.tracked_at]));
  let query = selectAssets(db)
    .where(sql<boolean>`id = any(${[...trackedAt.keys()]}::uuid[])`)
    .orderBy('id');
  if (chain !== null) query = query.where('chain', '=', chain);
  const assets = await query.execute();
  return assets.flatMap((asset) => {
    const moment = trackedAt.get(asset.id);
    return moment == null ? [] : [{ asset, trackedAt: moment }];
  });
}

/** Only what differs is written. Sorted, so that two calls never wait for each other. */
async function upsertFacts(db: Kysely<Schema>, assets: readonly (AssetInfo & { listed: boolean })[]): Promise<void> {
  await sql`
    insert into assets as a (chain, address, standard, symbol, name, decimals, flags, listed)
    select i.chain, i.address, i.standard, i.symbol, i.name, i.decimals, string_to_array(i.flags, ','), i.listed
    from unnest(
      ${assets.map((asset) => asset.chain)}::text[],
      ${assets.map((asset) => asset.address)}::text[],
      ${assets.map((asset) => asset.standard)}::text[],
      ${assets.map((asset) => toStorableText(asset.symbol))}::text[],
      ${assets.map((asset) => toStorableText(asset.name))}::text[],
      ${assets.map((asset) => asset.decimals)}::smallint[],
      ${assets.map((asset) => asset.flags.join(','))}::text[],
      ${assets.map((asset) => asset.listed)}::boolean[]
    ) as i (chain, address, standard, symbol, name, decimals, flags, listed)
    order by i.chain, i.address
    on conflict (chain, address) do update set
      standard = excluded.standard,
      symbol = coalesce(excluded.symbol, a.symbol),
      name = coalesce(excluded.name, a.name),
      decimals = coalesce(excluded.decimals, a.decimals),
      flags = excluded.flags,
      listed = excluded.listed,
      updated_at = now()
    where (a.standard, a.symbol, a.name, a.decimals, a.flags, a.listed) is distinct from
      (excluded.standard, coalesce(excluded.symbol, a.symbol), coalesce(excluded.name, a.name),
       coalesce(excluded.decimals, a.decimals), excluded.flags, excluded.listed)`.execute(db);
}

/** In the order of the refs, without those that are not known. */
async function getByRefs(db: Kysely<Schema>, refs: readonly AssetRef[]): Promise<readonly Asset[]> {
  const unique = [...new Map(refs.map((ref) => [assetKey(ref), ref])).values()];
  const tokens = unique.filter((ref) => ref.address !== null);
  const coins = unique.filter((ref) => ref.address === null);
  const rows = await selectAssets(db)
    .where(sql<boolean>`(chain, address) in (
      select * from unnest(${tokens.map((ref) => ref.chain)}::text[], ${tokens.map((ref) => ref.address)}::text[])
    )`)
    .unionAll(
      selectAssets(db)
        .where('address', 'is', null)
        .where(sql<boolean>`chain = any(${coins.map((ref) => ref.chain)}::text[])`),
    )
    .execute();
  const byKey = new Map(rows.map((row) => [assetKey(row), row]));
  return refs.flatMap((ref) => byKey.get(assetKey(ref)) ?? []);
}

function listedIds(tenantId: string) {
  return sql`
    select asset_id from balances
    where tenant_id = ${tenantId} and (amount_raw is null or amount_raw > 0)
    union
    select asset_id from asset_settings
    where tenant_id = ${tenantId}
      and (tracked_at is not null or spam is not null or manual_price is not null or accepted_price is not null)`;
}

type SettingsChange = { readonly tenantId: string; readonly assetId: string; readonly patch: AssetSettingsPatch };

/** A row that is not there yet cannot be locked: it is made first, as one that says nothing. */
async function checkVersion(trx: Transaction<Schema>, { tenantId, assetId, patch }: SettingsChange): Promise<void> {
  const { ifVersion = null } = patch;
  if (ifVersion === null) return;
  const { rows } = await sql<{ version: number }>`
    insert into asset_settings as s (tenant_id, asset_id, version) values (${tenantId}, ${assetId}, 0)
    on conflict (tenant_id, asset_id) do update set version = s.version
    returning version`.execute(trx);
  requireVersion(rows[0]?.version ?? 0, ifVersion);
}

async function updateSettings(db: Kysely<Schema>, { tenantId, assetId, patch }: SettingsChange): Promise<AssetSettings> {
  const changes = {
    version: sql<number>`asset_settings.version + 1`,
    ...(patch.tracked === undefined ? {} : { tracked_at: patch.tracked ? sql<Date>`now()` : null }),
    ...(patch.spam === undefined ? {} : { spam: patch.spam }),
    ...(patch.manualPrice === undefined
      ? {}
      : { manual_price: patch.manualPrice, manual_price_set_at: stamp(patch.manualPrice) }),
    ...(patch.acceptedPrice === undefined
      ? {}
      : { accepted_price: patch.acceptedPrice, accepted_at: stamp(patch.acceptedPrice) }),
  };
  const row = await db
    .insertInto('asset_settings')
    .values({ tenant_id: tenantId, asset_id: assetId, ...changes, version: 1 })
    .onConflict((conflict) =>
      // An empty patch changes nothing but still answers with the row.
      conflict.columns(['tenant_id', 'asset_id']).doUpdateSet({ asset_id: assetId, ...changes }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
  return toSettings(row);
}

function stamp(value: string | null) {
  return value === null ? null : sql<Date>`now()`;
}

type SettingsRow = {
  readonly tracked_at: Date | null;
  readonly spam: AssetSettings['spam'];
  readonly manual_price: string | null;
  readonly manual_price_set_at: Date | null;
  readonly accepted_price: string | null;
  readonly accepted_at: Date | null;
  readonly version: number;
};

function toSettings(row: SettingsRow): AssetSettings {
  const { manual_price: manual, manual_price_set_at: setAt, accepted_price: accepted, accepted_at: acceptedAt } = row;
  return {
    ...DEFAULT_ASSET_SETTINGS,
    trackedAt: row.tracked_at,
    spam: row.spam,
    manualPrice: manual === null || setAt === null ? null : { value: toPlainDecimal(manual), setAt },
    acceptedPrice: accepted === null || acceptedAt === null ? null : { value: toPlainDecimal(accepted), acceptedAt },
    version: row.version,
  };
}
