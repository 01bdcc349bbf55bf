import { sql, type Transaction } from 'kysely';
import { type AssetRef, assetKey } from '../domain/asset.ts';
import { formatDecimal } from '../domain/decimal.ts';
import type { Reading, SourceReading } from '../domain/holding.ts';
import type { Schema } from './schema.ts';

type OkReading = Extract<SourceReading, { status: 'ok' }>;
type OkAmount = Extract<Reading, { status: 'ok' }>;
type FailedAmount = Extract<Reading, { status: 'failed' }>;

/** One asset's reading with the place of its source in the list of sources and the asset's id. */
type Placed<T> = { readonly source: number; readonly assetId: string; readonly reading: T };

type Sorted = {
  readonly amounts: Placed<OkAmount>[];
  readonly zeros: Placed<OkAmount>[];
  readonly failures: Placed<FailedAmount>[];
};

/** See BalanceStore.saveReadings. The same few statements whatever the number of wallets and assets. */
export async function saveReadings(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<void> {
  const followed = await keepFollowed(trx, tenantId, keepNewest(readings));
  const news = await saveSources(trx, tenantId, followed);
  if (news.length === 0) return;
  const sorted = sortReadings(news, await findAssetIds(trx, news));
  const sources = sql`unnest(
    ${news.map((source) => source.walletId)}::uuid[],
    ${news.map((source) => source.chain)}::text[],
    ${news.map((source) => (source.kind === 'stake' ? 'stake' : 'wallet'))}::text[],
    ${news.map((source) => source.observedAt.toISOString())}::timestamptz[],
    ${news.map((source) => source.block.number.toString())}::bigint[],
    ${news.map((source) => source.block.hash)}::text[],
    ${news.map((source) => source.exhaustive)}::boolean[]
  ) with ordinality as s (wallet_id, chain, position, observed_at, block_number, block_hash, exhaustive, ordinal)`;
  const target = { trx, tenantId, sources };
  if (news.some((source) => source.exhaustive))
    await zeroUnnamed(target, [...sorted.amounts, ...sorted.zeros, ...sorted.failures]);
  if (sorted.zeros.length > 0) await saveZeros(target, sorted.zeros);
  if (sorted.amounts.length > 0) await saveAmounts(target, sorted.amounts);
  if (sorted.failures.length > 0) await saveFailures(target, sorted.failures);
}

type Target = {
  readonly trx: Transaction<Schema>;
  readonly tenantId: string;
  /** The sources as a table `s`, whose `ordinal` counts from 1. */
  readonly sources: ReturnType<typeof sql>;
};

function attemptedAt(reading: SourceReading): Date {
  return reading.status === 'ok' ? reading.observedAt : reading.attemptedAt;
}

function sourceKey({ walletId, chain, kind }: Pick<SourceReading, 'walletId' | 'chain' | 'kind'>): string {
  return `${walletId}/${chain}/${kind}`;
}

/** Each source once; of two readings of one source the later counts. Sorted, so that two calls never wait for each other. */
function keepNewest(readings: readonly SourceReading[]): readonly SourceReading[] {
  const newest = new Map<string, SourceReading>();
  for (const reading of readings) {
    const known = newest.get(sourceKey(reading));
    if (known === undefined || attemptedAt(known) <= attemptedAt(reading)) newest.set(sourceKey(reading), reading);
  }
  return [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, reading]) => reading);
}

/** Readings of wallets that are still there and follow the chain, who stay so until the transaction ends. */
async function keepFollowed(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<readonly SourceReading[]> {
  const { rows } = await sql<{ wallet_id: string; chain: string }>`
    select wallet_id, chain from wallet_chains
    where tenant_id = ${tenantId} and (wallet_id, chain) in (
      select * from unnest(
        ${readings.map((reading) => reading.walletId)}::uuid[],
        ${readings.map((reading) => reading.chain)}::text[]
      )
    )
    order by wallet_id, chain for key share`.execute(trx);
  const followed = new Set(rows.map((row) => `${row.wallet_id}/${row.chain}`));
  return readings.filter(({ walletId, chain }) => followed.has(`${walletId}/${chain}`));
}

/** Notes the outcome of each source and gives back the good readings that are not older than what is stored. */
async function saveSources(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<readonly OkReading[]> {
  if (readings.length === 0) return [];
  const errors = readings.map((reading) => (reading.status === 'ok' ? null : reading.error));
  const good = readings.map((reading) => (reading.status === 'ok' ? reading : undefined));
  const { rows } = await sql<{ wallet_id: string; chain: string; kind: string; observed_at: Date | null }>`
    insert into sources as s (tenant_id, wallet_id, chain, kind, observed_at, block_number, block_hash,
      attempted_at, outcome, error_code, error_provider)
    select ${tenantId}, i.* from unnest(
      ${readings.map((reading) => reading.walletId)}::uuid[],
      ${readings.map((reading) => reading.chain)}::text[],
      ${readings.map((reading) => reading.kind)}::text[],
      ${good.map((reading) => reading?.observedAt.toISOString() ?? null)}::timestamptz[],
      ${good.map((reading) => reading?.block.number.toString() ?? null)}::bigint[],
      ${good.map((reading) => reading?.block.hash ?? null)}::text[],
      ${readings.map((reading) => attemptedAt(reading).toISOString())}::timestamptz[],
      ${readings.map((reading) => reading.status)}::text[],
      ${errors.map((error) => error?.code ?? null)}::text[],
      ${errors.map((error) => error?.provider ?? null)}::text[]
    ) as i
    on conflict (tenant_id, wallet_id, chain, kind) do update set
      (observed_at, block_number, block_hash) = (
        select excluded.observed_at, excluded.block_number, excluded.block_hash
        where excluded.observed_at >= coalesce(s.observed_at, '-infinity')
        union all
        select s.observed_at, s.block_number, s.block_hash
        where (excluded.observed_at >= coalesce(s.observed_at, '-infinity')) is not true
      ),
      (attempted_at, outcome, error_code, error_provider) = (
        select excluded.attempted_at, excluded.outcome, excluded.error_code, excluded.error_provider
        where excluded.attempted_at >= s.attempted_at
        union all
        select s.attempted_at, s.outcome, s.error_code, s.error_provider
        where excluded.attempted_at < s.attempted_at
      )
    returning s.wallet_id, s.chain, s.kind, s.observed_at`.execute(trx);
  const stored = new Map(rows.map((row) => [`${row.wallet_id}/${row.chain}/${row.kind}`, row.observed_at?.getTime()]));
  return good.flatMap((reading) =>
    reading !== undefined && stored.get(sourceKey(reading)) === reading.observedAt.getTime() ? [reading] : [],
  );
}

async function findAssetIds(trx: Transaction<Schema>, sources: readonly OkReading[]): Promise<ReadonlyMap<string, string>> {
  const refs = new Map<string, AssetRef>();
  for (const { readings } of sources) for (const { asset } of readings) refs.set(assetKey(asset), asset);
  const { rows } = await sql<{ id: string; chain: string; address: string | null }>`
    with named as (
      select * from unnest(
        ${[...refs.values()].map((ref) => ref.chain)}::text[],
        ${[...refs.values()].map((ref) => ref.address)}::text[]
      ) as n (chain, address)
    )
    select a.id, a.chain, a.address from named n join assets a on a.chain = n.chain and a.address = n.address
    union all
    select a.id, a.chain, a.address from named n join assets a on a.chain = n.chain and a.address is null
    where n.address is null`.execute(trx);
  return new Map(rows.map((row) => [assetKey(row), row.id]));
}

/** The readings by what is to be done with them; an asset that a source names twice counts as it was named last. */
function sortReadings(sources: readonly OkReading[], assetIds: ReadonlyMap<string, string>): Sorted {
  const sorted: Sorted = { amounts: [], zeros: [], failures: [] };
  for (const [index, source] of sources.entries()) {
    const unique = new Map(source.readings.map((reading) => [assetKey(reading.asset), reading]));
    for (const [key, reading] of unique) {
      const isZeroToken = reading.status === 'ok' && reading.amountRaw === 0n && reading.asset.address !== null;
      const assetId = assetIds.get(key);
      // What nobody ever held is worth no row, not even in the table of assets.
      if (assetId === undefined && isZeroToken) continue;
      if (assetId === undefined) throw new Error(`${key} was read before it was stored as an asset`);
      const place = { source: index + 1, assetId };
      if (reading.status === 'failed') sorted.failures.push({ ...place, reading });
      else (isZeroToken ? sorted.zeros : sorted.amounts).push({ ...place, reading });
    }
  }
  return sorted;
}

function places(placed: readonly Placed<Reading>[]): ReturnType<typeof sql> {
  return sql`${placed.map(({ source }) => source)}::integer[], ${placed.map(({ assetId }) => assetId)}::uuid[]`;
}

async function saveAmounts({ trx, tenantId, sources }: Target, placed: readonly Placed<OkAmount>[]): Promise<void> {
  const readings = placed.map(({ reading }) => reading);
  await sql`
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
      error_code = null, error_provider = null`.execute(trx);
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

async function saveZeros({ trx, tenantId, sources }: Target, placed: readonly Placed<OkAmount>[]): Promise<void> {
  await sql`
    update balances b set ${ZERO}
    from unnest(${places(placed)}) as r (source, asset_id) join ${sources} on s.ordinal = r.source
    where b.tenant_id = ${tenantId} and b.wallet_id = s.wallet_id and b.chain = s.chain and b.position = s.position
      and b.asset_id = r.asset_id`.execute(trx);
}

/** Assets that an exhaustive reading does not name are gone from the wallet. */
async function zeroUnnamed({ trx, tenantId, sources }: Target, named: readonly Placed<Reading>[]): Promise<void> {
  await sql`
    update balances b set ${ZERO}
    from ${sources}
    where s.exhaustive
      and b.tenant_id = ${tenantId} and b.wallet_id = s.wallet_id and b.chain = s.chain and b.position = s.position
      and not exists (
        select from unnest(${places(named)}) as r (source, asset_id) where r.source = s.ordinal and r.asset_id = b.asset_id
      )`.execute(trx);
}
