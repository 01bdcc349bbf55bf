import { type Kysely, sql, type Transaction } from 'kysely';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { Schema } from '../schema.ts';

/** Names one source among those that a snapshot lacks. */
export type MissingKey = Pick<MissingSource, 'walletId' | 'chain' | 'kind'>;

/** The first snapshot after a moment that does not lack the source. */
export async function findNextKnown(
  db: Kysely<Schema>,
  tenantId: string,
  { at, ...source }: MissingKey & { readonly at: Date },
): Promise<Date | null> {
  const { rows } = await sql<{ at: Date }>`
    select at from snapshots
    where tenant_id = ${tenantId} and at > ${at} and not missing @> ${JSON.stringify([source])}::jsonb
    order by at limit 1`.execute(db);
  return rows[0]?.at ?? null;
}

/** The first moment at which the balances of a wallet on a chain are known; null when they never were. What was before it was followed on that chain is not known. */
export async function findKnownFrom(
  db: Kysely<Schema>,
  tenantId: string,
  { walletId, chain }: { readonly walletId: string; readonly chain: string },
): Promise<Date | null> {
  const { rows } = await sql<{ at: Date | null }>`
    select least(
      (
        select min(p.at) from holding_series s join holding_points p using (tenant_id, wallet_id, asset_id, position)
        where s.tenant_id = ${tenantId} and s.wallet_id = ${walletId} and s.chain = ${chain}
      ),
      (
        select s.at from snapshots s join wallet_chains c on c.tenant_id = s.tenant_id and c.wallet_id = ${walletId} and c.chain = ${chain}
        where s.tenant_id = ${tenantId} and s.at >= c.created_at
          and not s.missing @> ${JSON.stringify([{ walletId, chain, kind: 'balances', reason: 'never' }])}::jsonb
        order by s.at limit 1
      )
    ) as at`.execute(db);
  return rows[0]?.at ?? null;
}

/** The source is not missing at the moment any more; the grade follows. */
export async function removeMissing(
  trx: Transaction<Schema>,
  tenantId: string,
  { at, healedAt, ...source }: MissingKey & { readonly at: Date; readonly healedAt: Date },
): Promise<void> {
  const key = JSON.stringify(source);
  await sql`
    update snapshots s set missing = rest.missing, healed_at = ${healedAt},
      grade = case when rest.missing = '[]' then 'full' else 'partial' end
    from (
      select coalesce(jsonb_agg(m.entry order by m.place) filter (where not m.entry @> ${key}::jsonb), '[]') as missing
      from snapshots, jsonb_array_elements(missing) with ordinality as m (entry, place)
      where tenant_id = ${tenantId} and at = ${at}
    ) rest
    where s.tenant_id = ${tenantId} and s.at = ${at}`.execute(trx);
  await copyToBuckets(trx, tenantId, at);
}

/** Notes what else a moment lacks. Sources that it names already stay as they are. */
export async function addMissing(
  trx: Transaction<Schema>,
  tenantId: string,
  { at, sources }: { readonly at: Date; readonly sources: readonly MissingSource[] },
): Promise<void> {
  for (const source of sources) {
    const { walletId, chain, kind } = source;
    await sql`
      update snapshots set missing = missing || ${JSON.stringify([source])}::jsonb, grade = 'partial'
      where tenant_id = ${tenantId} and at = ${at} and not missing @> ${JSON.stringify([{ walletId, chain, kind }])}::jsonb`.execute(
      trx,
    );
  }
  if (sources.length > 0) await copyToBuckets(trx, tenantId, at);
}

/** What a snapshot says of itself, the buckets that tell it say as well. */
export async function copyToBuckets(trx: Transaction<Schema>, tenantId: string, at: Date): Promise<void> {
  for (const table of ['snapshot_hours', 'snapshot_days']) {
    await sql`
      update ${sql.table(table)} b set grade = s.grade, missing = s.missing, healed_at = s.healed_at
      from snapshots s
      where s.tenant_id = ${tenantId} and s.at = ${at} and b.tenant_id = s.tenant_id and b.at = s.at`.execute(trx);
  }
}

/** A snapshot of a day that has none, with its buckets. False when there is one at the moment. */
export async function insertPastSnapshot(
  trx: Transaction<Schema>,
  tenantId: string,
  { at, writtenAt, missing }: { readonly at: Date; readonly writtenAt: Date; readonly missing: readonly MissingSource[] },
): Promise<boolean> {
  const grade = missing.length === 0 ? 'full' : 'partial';
  const { numAffectedRows } = await sql`
    insert into snapshots (tenant_id, at, taken_at, grade, missing, healed_at)
    values (${tenantId}, ${at}, ${at}, ${grade}, ${JSON.stringify(missing)}::jsonb, ${writtenAt})
    on conflict do nothing`.execute(trx);
  if (numAffectedRows !== 1n) return false;
  for (const bucket of ['hour', 'day']) {
    // Hours are not brought back where they have been let go of.
    const isKept = sql`${bucket} = 'day' or at >= coalesce(
      (select through from history_thinning where tenant_id = ${tenantId} and bucket = 'day'), '-infinity'
    )`;
    await sql`
      insert into ${sql.table(`snapshot_${bucket}s`)} (tenant_id, bucket, at, grade, missing, healed_at)
      select tenant_id, date_trunc(${bucket}, at, 'UTC'), at, grade, missing, healed_at
      from snapshots where tenant_id = ${tenantId} and at = ${at} and (${isKept})
      on conflict do nothing`.execute(trx);
  }
  return true;
}

/**
 * The sources of other wallets whose amounts a new snapshot can only carry on from an earlier one: they were followed by then, and nobody read
 * them.
 */
export async function listCarried(
  trx: Transaction<Schema>,
  tenantId: string,
  { walletId, at }: { readonly walletId: string; readonly at: Date },
): Promise<readonly MissingSource[]> {
  const { rows } = await sql<{ wallet_id: string; chain: string; kind: MissingSource['kind']; observed_at: Date | null }>`
    select distinct s.wallet_id, s.chain, case s.position when 'stake' then 'stake' else 'balances' end as kind,
      (select max(at) from snapshots where tenant_id = ${tenantId} and at < ${at}) as observed_at
    from holding_series s
    join wallet_chains c on c.tenant_id = s.tenant_id and c.wallet_id = s.wallet_id and c.chain = s.chain
    where s.tenant_id = ${tenantId} and s.wallet_id <> ${walletId} and exists (
      select from holding_points p
      where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position and p.at <= ${at}
    )
    order by s.wallet_id, s.chain, kind`.execute(trx);
  return rows.map(({ wallet_id, chain, kind, observed_at: observedAt }) => ({
    walletId: wallet_id,
    chain,
    kind,
    reason: 'stale',
    observedAt,
    code: null,
  }));
}
