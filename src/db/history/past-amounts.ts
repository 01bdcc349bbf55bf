import { sql, type Transaction } from 'kysely';
import type { Block } from '../../domain/holding.ts';
import type { Schema } from '../schema.ts';

/** What one asset of a wallet amounted to. */
export type PastAmount = { readonly assetId: string; readonly amountRaw: bigint };

/** What a wallet held on a chain at a moment that was not known before. */
export type PastHolding = {
  readonly walletId: string;
  readonly chain: string;
  readonly at: Date;
  readonly block: Block | null;
  /** The next moment at which it was known; null when none is. What is told of then, and from then on, stays as it is. */
  readonly until: Date | null;
  readonly amounts: readonly PastAmount[];
};

/** Writes amounts down at a past moment. Only what moved has a point there, and at the next known moment whatever has to be told apart from it now. Running it again changes nothing. */
export async function savePastHolding(trx: Transaction<Schema>, tenantId: string, holding: PastHolding): Promise<void> {
  const { walletId, chain, at, block, until, amounts } = holding;
  if (amounts.length === 0) return;
  const input = sql`unnest(
    ${amounts.map(({ assetId }) => assetId)}::uuid[],
    ${amounts.map(({ amountRaw }) => amountRaw.toString())}::numeric[]
  ) as i (asset_id, amount_raw)`;
  const ofAsset = sql`p.tenant_id = ${tenantId} and p.wallet_id = ${walletId} and p.asset_id = i.asset_id and p.position = 'wallet'`;
  await sql`
    with state as (
      select i.*,
        coalesce((select p.amount_raw from holding_points p where ${ofAsset} and p.at < ${at} order by p.at desc limit 1), 0) as before,
        coalesce((select p.amount_raw from holding_points p where ${ofAsset} and p.at <= ${at} order by p.at desc limit 1), 0) as told,
        exists (select from holding_points p where ${ofAsset} and p.at > ${at} and p.at <= ${until}::timestamptz) as is_told_later
      from ${input}
    ), points as (
      insert into holding_points as p (tenant_id, wallet_id, asset_id, position, at, amount_raw, block_number, block_hash)
      select ${tenantId}::uuid, ${walletId}::uuid, asset_id, 'wallet', ${at}::timestamptz, amount_raw, ${block?.number.toString() ?? null}::bigint, ${block?.hash ?? null}::text
      from state where amount_raw <> before
      union all
      select ${tenantId}::uuid, ${walletId}::uuid, asset_id, 'wallet', ${until}::timestamptz, told, null, null
      from state where ${until}::timestamptz is not null and told <> amount_raw and not is_told_later
      on conflict (tenant_id, wallet_id, asset_id, position, at) do update
        set amount_raw = excluded.amount_raw, block_number = excluded.block_number, block_hash = excluded.block_hash
    )
    delete from holding_points p using state i where ${ofAsset} and p.at = ${at} and i.amount_raw = i.before`.execute(trx);
  await sql`
    insert into holding_series as s (tenant_id, wallet_id, asset_id, position, chain, amount_raw)
    select ${tenantId}, ${walletId}, i.asset_id, 'wallet', ${chain}, last.amount_raw
    from ${input} cross join lateral (select p.amount_raw from holding_points p where ${ofAsset} order by p.at desc limit 1) last
    on conflict (tenant_id, wallet_id, asset_id, position) do update set amount_raw = excluded.amount_raw
    where s.amount_raw <> excluded.amount_raw`.execute(trx);
}

/** Drops the points of a wallet at a moment that say what is said before it already. */
export async function dropIdlePoints(
  trx: Transaction<Schema>,
  tenantId: string,
  { walletId, at }: { readonly walletId: string; readonly at: Date },
): Promise<void> {
  await sql`
    delete from holding_points p
    where p.tenant_id = ${tenantId} and p.wallet_id = ${walletId} and p.at = ${at} and p.amount_raw = (
      select e.amount_raw from holding_points e
      where e.tenant_id = p.tenant_id and e.wallet_id = p.wallet_id and e.asset_id = p.asset_id and e.position = p.position and e.at < p.at
      order by e.at desc limit 1
    )`.execute(trx);
}
