import { sql, type Transaction } from 'kysely';
import type { SourceReading } from '../domain/holding.ts';
import type { Schema } from './schema.ts';

/** The good outcome of a source. */
type OkReading = Extract<SourceReading, { status: 'ok' }>;

/** One that is not older than what was stored; `isFirst`: the source had never been read before. */
export type SavedReading = OkReading & { readonly isFirst: boolean };

/**
 * Notes the outcome of each source whose wallet still follows the chain, and gives back the good readings among them that are not older than
 * what is stored. Those wallets cannot be deleted until the transaction ends.
 */
export async function saveSources(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<readonly SavedReading[]> {
  const followed = await keepFollowed(trx, tenantId, keepNewest(readings));
  return followed.length === 0 ? [] : saveOutcomes(trx, tenantId, followed);
}

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

async function saveOutcomes(
  trx: Transaction<Schema>,
  tenantId: string,
  readings: readonly SourceReading[],
): Promise<readonly SavedReading[]> {
  const errors = readings.map((reading) => (reading.status === 'ok' ? null : reading.error));
  const good = readings.map((reading) => (reading.status === 'ok' ? reading : undefined));
  const { rows } = await sql<{ wallet_id: string; chain: string; kind: string; observed_at: Date | null; is_first: boolean }>`
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
    returning s.wallet_id, s.chain, s.kind, s.observed_at, old.observed_at is null as is_first`.execute(trx);
  const stored = new Map(rows.map((row) => [`${row.wallet_id}/${row.chain}/${row.kind}`, row]));
  return good.flatMap((reading) => {
    const row = reading && stored.get(sourceKey(reading));
    const isNews = row !== undefined && row.observed_at?.getTime() === reading?.observedAt.getTime();
    return reading !== undefined && isNews ? [{ ...reading, isFirst: row.is_first }] : [];
  });
}
