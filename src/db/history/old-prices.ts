import { sql, type Transaction } from 'kysely';
import { PAST_PRICE_MAX_AGE_SECONDS } from '../../domain/history/backfill.ts';
import type { MissingSource } from '../../domain/history/snapshot.ts';
import type { Schema } from '../schema.ts';

/**
 * Whether a moment that is written later tells prices that were old by then, as a snapshot says of itself when it is taken. Not asked of what has no price, the owner's price, or is in no figure.
 */
export async function findOldPrices(
  trx: Transaction<Schema>,
  tenantId: string,
  { at, assetIds }: { readonly at: Date /** null: all. */; readonly assetIds: readonly string[] | null },
): Promise<readonly MissingSource[]> {
  const { rows } = await sql<{ oldest: Date | null }>`
    with held as (
      select distinct s.asset_id from holding_series s
      cross join lateral (
        select amount_raw from holding_points p
        where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position and p.at <= ${at}
        order by p.at desc limit 1
      ) p
      where s.tenant_id = ${tenantId} and (${assetIds === null} or s.asset_id = any(${[...(assetIds ?? [])]}::uuid[])) and p.amount_raw > 0
    )
    select min(quote.at) as oldest
    from held h
    left join asset_settings o on o.tenant_id = ${tenantId} and o.asset_id = h.asset_id
    cross join lateral (
      select q.at from price_points q where q.asset_id = h.asset_id and q.at <= ${at} order by q.at desc limit 1
    ) quote
    where quote.at <= ${at}::timestamptz - make_interval(secs => ${PAST_PRICE_MAX_AGE_SECONDS}) and o.manual_price is null
      and coalesce(o.spam = 'not_spam', not coalesce((
        select e.is_excluded from exclusion_points e where e.tenant_id = ${tenantId} and e.asset_id = h.asset_id order by e.at desc limit 1
      ), false))`.execute(trx);
  const oldest = rows[0]?.oldest ?? null;
  if (oldest === null) return [];
  return [{ walletId: null, chain: null, kind: 'prices', reason: 'stale', observedAt: oldest, code: null }];
}
