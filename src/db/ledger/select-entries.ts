import { type Selectable, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import type { EntryType, LedgerEntry } from '../../domain/ledger/ledger.ts';
import type { Schema } from '../schema.ts';
import { isUuid } from '../uuid.ts';
import type { LedgerFilter } from './ledger-store.ts';

/**
 * The entries of a tenant, classified by the wallets that are tracked now, as a subquery. What a transfer is: `internal` when its other end is a wallet of the tenant on that chain whose ledger has it too; else `trade` when its transaction
 * brings this wallet one asset and takes another, both from or to the outside; else a deposit or a withdrawal. Any other kind stands as it was stored. `wallet_created_at`: since when the wallet is followed.
 */
export function classifiedEntries(tenantId: string): ReturnType<typeof sql> {
  return sql`(
    select e.*, w.created_at as wallet_created_at,
      case
        when e.kind <> 'transfer' then e.kind
        when ${isInternal(tenantId, 'e')} then 'internal'
        when e.tx_hash is not null and (
          select bool_or(o.amount_raw > 0) and bool_or(o.amount_raw < 0) and min(o.asset_id::text) <> max(o.asset_id::text)
          from ledger_entries o
          where o.tenant_id = ${tenantId} and o.tx_hash = e.tx_hash and o.wallet_id = e.wallet_id and o.chain = e.chain
            and o.kind = 'transfer' and not ${isInternal(tenantId, 'o')}
        ) then 'trade'
        when e.amount_raw > 0 then 'deposit'
        else 'withdrawal'
      end as type
    from ledger_entries e
    join wallets w on w.tenant_id = e.tenant_id and w.id = e.wallet_id
    where e.tenant_id = ${tenantId}
  )`;
}

/**
 * Whether the other end is tracked and its ledger has the same movement. A wallet that was added later, or whose transfers cannot be read, has not: there the amount is told as `opening` or `unexplained`, and would count twice
 * if it had not left here. Addresses of EVM chains are the same in any case; those of Solana are not.
 */
function isInternal(tenantId: string, entry: 'e' | 'o'): ReturnType<typeof sql> {
  const of = (column: string): ReturnType<typeof sql.ref> => sql.ref(`${entry}.${column}`);
  const counterparty = of('counterparty');
  return sql`(${counterparty} is not null and (${of('chain')}, case w.family when 'evm' then lower(${counterparty}) else ${counterparty} end) in (
    select c.chain, case t.family when 'evm' then lower(t.address) else t.address end
    from wallets t join wallet_chains c on c.tenant_id = t.tenant_id and c.wallet_id = t.id
    where t.tenant_id = ${tenantId}
  ) and exists (
    select from ledger_entries m join wallets t on t.tenant_id = m.tenant_id and t.id = m.wallet_id
    where m.tenant_id = ${tenantId} and m.tx_hash = ${of('tx_hash')} and m.chain = ${of('chain')} and m.asset_id = ${of('asset_id')}
      and m.kind = 'transfer' and sign(m.amount_raw) = -sign(${of('amount_raw')})
      and case w.family when 'evm' then lower(t.address) = lower(${counterparty}) else t.address = ${counterparty} end
  ))`;
}

/** The condition that rows of `table` are among those asked for. */
export function matches(table: string, { walletIds, chains, assetIds }: LedgerFilter): ReturnType<typeof sql> {
  return sql`${isOneOf(`${table}.wallet_id`, walletIds)} and ${isOneOf(`${table}.asset_id`, assetIds)}
    and (${chains === null} or ${sql.ref(`${table}.chain`)} = any(${chains ?? []}::text[]))`;
}

function isOneOf(column: string, ids: readonly string[] | null): ReturnType<typeof sql> {
  return sql`(${ids === null} or ${sql.ref(column)} = any(${ids?.filter(isUuid) ?? []}::uuid[]))`;
}

/** An entry as `classifiedEntries` gives it. */
export type EntryRow = Omit<Selectable<Schema['ledger_entries']>, 'kind'> & { readonly type: EntryType };

/** The same as the domain knows it. */
export function toEntry(row: EntryRow): LedgerEntry {
  const { price, price_currency: currency } = row;
  return {
    id: row.id,
    walletId: row.wallet_id,
    chain: row.chain,
    assetId: row.asset_id,
    occurredAt: row.occurred_at,
    type: row.type,
    amountRaw: BigInt(row.amount_raw),
    counterparty: row.counterparty,
    txHash: row.tx_hash,
    blockNumber: row.block_number === null ? null : BigInt(row.block_number),
    origin: row.origin,
    price: price === null || currency === null ? null : { value: new Decimal(price), currency },
    note: row.note,
    version: row.version,
  };
}
