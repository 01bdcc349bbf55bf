import { sql } from 'kysely';

/** The block of the earliest point that is known of a wallet on its chain, as a subquery; `row` names a table with both. */
export function firstBlock(row: string): ReturnType<typeof sql> {
  const column = (name: string): ReturnType<typeof sql> => sql`${sql.id(name)} = ${sql.ref(`${row}.${name}`)}`;
  return sql`
    select min(first.block_number) from (
      select tenant_id, wallet_id, asset_id, position from holding_series
      where ${column('tenant_id')} and ${column('wallet_id')} and ${column('chain')}
    ) s
    cross join lateral (
      select p.block_number from holding_points p
      where p.tenant_id = s.tenant_id and p.wallet_id = s.wallet_id and p.asset_id = s.asset_id and p.position = s.position
      order by p.at limit 1
    ) first`;
}
