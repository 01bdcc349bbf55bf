import { sql, type Transaction } from 'kysely';
import { type AssetRef, assetKey } from '../domain/asset.ts';
import { formatDecimal } from '../domain/decimal.ts';
import type { NewEvent } from '../domain/events/event.ts';
import type { Reading, SourceReading } from '../domain/holding.ts';
import { type BalanceChange, runAndCompare, toBalanceEvents } from './events/balance-events.ts';
import { type SavedReading, saveSources } from './save-sources.ts';
import type { Schema } from './schema.ts';

type OkAmount = Extract<Reading, { status: 'ok' }>;
type FailedAmount = Extract<Reading, { status: 'failed' }>;

/** One asset's reading with the place of its source in the list of sources and the asset's id. */
type Placed<T> = { readonly source: number; readonly assetId: string; readonly reading: T };

type Sorted = {
  readonly amounts: Placed<OkAmount>[];
  readonly zeros: Placed<OkAmount>[];
  readonly failures: Placed<FailedAmount>[];
};

/** So many readings go into one statement, that none comes near the time limit. */
const BATCH_SIZE = 20_000;

/** See BalanceStore.saveReadings. Gives back what there is to tell of it. The number of statements grows with the readings by the batch, never by the wallet or the asset. */
export async function saveReadings(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<readonly NewEvent[]> {
  const news = await saveSources(trx, tenantId, readings);
  const assetIds = await findAssetIds(trx, news);
  const changes: (readonly BalanceChange[])[] = [];
  for (const batch of inBatches(news)) changes.push(await saveBatch({ trx, tenantId, assetIds }, batch));
  return toBalanceEvents(trx, news, changes.flat());
}

/** Whole sources, as many as make a batch. */
function* inBatches(sources: readonly SavedReading[]): Generator<readonly SavedReading[]> {
  let batch: SavedReading[] = [];
  let size = 0;
  for (const source of sources) {
    if (batch.length > 0 && size + source.readings.length > BATCH_SIZE) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(source);
    size += source.readings.length;
  }
  if (batch.length > 0) yield batch;
}

type Saving = {
  readonly trx: Transaction<Schema>;
  readonly tenantId: string;
  /** By the very objects that the readings name them with; those that are not stored are left out. */
  readonly assetIds: ReadonlyMap<AssetRef, string>;
};

async function saveBatch({ trx, tenantId, assetIds }: Saving, batch: readonly SavedReading[]): Promise<readonly BalanceChange[]> {
  const sources = sql`unnest(
    ${batch.map((source) => source.walletId)}::uuid[],
    ${batch.map((source) => source.chain)}::text[],
    ${batch.map((source) => (source.kind === 'stake' ? 'stake' : 'wallet'))}::text[],
    ${batch.map((source) => source.observedAt.toISOString())}::timestamptz[],
    ${batch.map((source) => source.block.number.toString())}::bigint[],
    ${batch.map((source) => source.block.hash)}::text[],
    ${batch.map((source) => source.exhaustive)}::boolean[]
  ) with ordinality as s (wallet_id, chain, position, observed_at, block_number, block_hash, exhaustive, ordinal)`;
  const target = { trx, tenantId, sources };
  const stored = batch.some(({ readings }) => readings.some(isZeroToken)) ? await findStored(target) : new Map();
  const sorted = sortReadings(batch, assetIds, stored);
  const named = [...sorted.amounts, ...sorted.zeros, ...sorted.failures];
  const changes = [
    batch.some((source) => source.exhaustive) ? await zeroUnnamed(target, named) : [],
    sorted.zeros.length > 0 ? await saveZeros(target, sorted.zeros) : [],
    sorted.amounts.length > 0 ? await saveAmounts(target, sorted.amounts) : [],
  ];
  if (sorted.failures.length > 0) await saveFailures(target, sorted.failures);
  return changes.flat();
}

type Target = {
  readonly trx: Transaction<Schema>;
  readonly tenantId: string;
  /** The sources as a table `s`, whose `ordinal` counts from 1. */
  readonly sources: ReturnType<typeof sql>;
};

async function findAssetIds(trx: Transaction<Schema>, sources: readonly SavedReading[]): Promise<ReadonlyMap<AssetRef, string>> {
  // Readings of one chain mostly share the objects: then there are few of them.
  const refs = new Set<AssetRef>();
  for (const { readings } of sources) for (const { asset } of readings) refs.add(asset);
  const named = [...new Map([...refs].map((ref) => [assetKey(ref), ref])).values()];
  const { rows } = await sql<{ id: string; chain: string; address: string | null }>`
    with named as (
      select * from unnest(
        ${named.map((ref) => ref.chain)}::text[],
        ${named.map((ref) => ref.address)}::text[]
      ) as n (chain, address)
    )
    select a.id, a.chain, a.address from named n join assets a on a.chain = n.chain and a.address = n.address
    union all
    select a.id, a.chain, a.address from named n join assets a on a.chain = n.chain and a.address is null
    where n.address is null`.execute(trx);
  const byKey = new Map(rows.map((row) => [assetKey(row), row.id]));
  return new Map(
    [...refs].flatMap((ref) => {
      const id = byKey.get(assetKey(ref));
      return id === undefined ? [] : [[ref, id] as const];
    }),
  );
}

/** The assets that each source has a row of, by its place. Nobody else can add one before the transaction ends: it holds the sources. Source
 * by source, since a planner that joins them at once may read all the balances there are. */
async function findStored({ trx, tenantId, sources }: Target): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const { rows } = await sql<{ source: number; asset_ids: string[] }>`
    select s.ordinal::integer as source, o.asset_ids
    from ${sources} cross join lateral (
      select coalesce(array_agg(b.asset_id::text), '{}') as asset_ids from balances b
      where b.tenant_id = ${tenantId} and b.wallet_id = s.wallet_id and b.chain = s.chain and b.position = s.position
    ) o`.execute(trx);
  return new Map(rows.map((row) => [row.source, new Set(row.asset_ids)]));
}

/**
 * The readings by what is to be done with them; an asset that a source names twice counts as it was named last. Most tokens that a wallet is asked for it
 * never held: a zero is worth a place only where there is a row for it.
 */
function sortReadings(
  sources: readonly SavedReading[],
  assetIds: ReadonlyMap<AssetRef, string>,
  stored: ReadonlyMap<number, ReadonlySet<string>>,
): Sorted {
  const sorted: Sorted = { amounts: [], zeros: [], failures: [] };
  for (const [index, source] of sources.entries()) {
    const unique = new Map<string, Reading>();
    for (const reading of source.readings) {
      const assetId = assetIds.get(reading.asset);
      if (assetId !== undefined) unique.set(assetId, reading);
      else if (!isZeroToken(reading)) throw new Error(`${assetKey(reading.asset)} was read before it was stored as an asset`);
    }
    for (const [assetId, reading] of unique) {
      const place = { source: index + 1, assetId };
      if (reading.status === 'failed') sorted.failures.push({ ...place, reading });
      else if (!isZeroToken(reading)) sorted.amounts.push({ ...place, reading });
      else if (stored.get(place.source)?.has(assetId)) sorted.zeros.push({ ...place, reading });
    }
  }
  return sorted;
}

function isZeroToken(reading: Reading): boolean {
  return reading.status === 'ok' && reading.amountRaw === 0n && reading.asset.address !== null;
}

function places(placed: readonly Placed<Reading>[]): ReturnType<typeof sql> {
  return sql`${placed.map(({ source }) => source)}::integer[], ${placed.map(({ assetId }) => assetId)}::uuid[]`;
}

function saveAmounts({ trx, tenantId, sources }: Target, placed: readonly Placed<OkAmount>[]): Promise<readonly BalanceChange[]> {
  const readings = placed.map(({ reading }) => reading);
  return runAndCompare(
    trx,
    sql`
    insert into balances (tenant_id, wallet_id, chain, asset_id, position, amount_raw, frozen_raw, ui_amount, ui_multiplier,
      observed_at, block_number, block_hash)
    select ${tenantId}, s.wallet_id, s.chain, r.asset_id, s.position, r.amount_raw, r.frozen_raw, r.ui_amount, r.ui_multiplier,
      s.observed_at, s.block_number, s.block_hash
    from unnest(
      ${places(placed)},
      ${readings.map((reading) => reading.amountRaw.toString())}::numeric[],
      ${readings.map((reading) => reading.frozenRaw.toString())}::numeric[],
      ${readings.map(({ ui }) => (ui === null ? null : formatDecimal(ui.amount)))}::numeric[],
      ${readings.map(({ ui }) => (ui === null ? null : formatDecimal(ui.multiplier)))}::numeric[]
    ) as r (source, asset_id, amount_raw, frozen_raw, ui_amount, ui_multiplier)
    join ${sources} on s.ordinal = r.source
    on conflict (tenant_id, wallet_id, chain, asset_id, position) do update set
      amount_raw = excluded.amount_raw, frozen_raw = excluded.frozen_raw,
      ui_amount = excluded.ui_amount, ui_multiplier = excluded.ui_multiplier,
      observed_at = excluded.observed_at, block_number = excluded.block_number, block_hash = excluded.block_hash,
      error_code = null, error_provider = null`,
  );
}

async function saveFailures({ trx, tenantId, sources }: Target, placed: readonly Placed<FailedAmount>[]): Promise<void> {
  await sql`
    insert into balances (tenant_id, wallet_id, chain, asset_id, position, error_code, error_provider)
    select ${tenantId}, s.wallet_id, s.chain, r.asset_id, s.position, r.code, r.provider
    from unnest(
      ${places(placed)},
      ${placed.map(({ reading }) => reading.error.code)}::text[],
      ${placed.map(({ reading }) => reading.error.provider)}::text[]
    ) as r (source, asset_id, code, provider)
    join ${sources} on s.ordinal = r.source
    on conflict (tenant_id, wallet_id, chain, asset_id, position) do update set
      error_code = excluded.error_code, error_provider = excluded.error_provider`.execute(trx);
}

const ZERO = sql`amount_raw = 0, frozen_raw = 0, ui_amount = null, ui_multiplier = null, observed_at = s.observed_at,
  block_number = s.block_number, block_hash = s.block_hash, error_code = null, error_provider = null`;

function saveZeros({ trx, tenantId, sources }: Target, placed: readonly Placed<OkAmount>[]): Promise<readonly BalanceChange[]> {
  return runAndCompare(
    trx,
    sql`
    update balances b set ${ZERO}
    from unnest(${places(placed)}) as r (source, asset_id) join ${sources} on s.ordinal = r.source
    where b.tenant_id = ${tenantId} and b.wallet_id = s.wallet_id and b.chain = s.chain and b.position = s.position
      and b.asset_id = r.asset_id`,
  );
}

/** Assets that an exhaustive reading does not name are gone from the wallet. */
function zeroUnnamed({ trx, tenantId, sources }: Target, named: readonly Placed<Reading>[]): Promise<readonly BalanceChange[]> {
  return runAndCompare(
    trx,
    sql`
    update balances b set ${ZERO}
    from ${sources}
    where s.exhaustive
      and b.tenant_id = ${tenantId} and b.wallet_id = s.wallet_id and b.chain = s.chain and b.position = s.position
      and not exists (
        select from unnest(${places(named)}) as r (source, asset_id) where r.source = s.ordinal and r.asset_id = b.asset_id
      )`,
  );
}
