import { type Kysely, sql } from 'kysely';

const UP = [
  // One movement of one asset into (above zero) or out of one wallet. `transfer` is classified when it is read, by the wallets that are tracked then. `reference` makes an entry that comes again the same one.
  sql`create table ledger_entries (
    tenant_id uuid not null,
    id uuid not null default uuidv7(),
    wallet_id uuid not null,
    chain text not null check (chain <> ''),
    asset_id uuid not null references assets,
    occurred_at timestamptz(3) not null,
    kind text not null check (kind in ('transfer', 'deposit', 'withdrawal', 'internal', 'trade', 'fee', 'income')),
    amount_raw numeric(78, 0) not null check (amount_raw <> 0),
    counterparty text,
    tx_hash text,
    block_number bigint check (block_number >= 0),
    origin text not null check (origin in ('chain', 'manual', 'csv')),
    reference text not null check (reference <> ''),
    price numeric check (price >= 0),
    price_currency text,
    note text,
    created_at timestamptz(3) not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, wallet_id, reference),
    foreign key (tenant_id, wallet_id) references wallets on delete cascade,
    check ((price is null) = (price_currency is null))
  )`,
  sql`create index ledger_entries_by_time on ledger_entries (tenant_id, occurred_at, id)`,
  // An entry counts where the amounts first show it: found by its block, or by its time where there is no block.
  sql`create index ledger_entries_by_block on ledger_entries (tenant_id, wallet_id, asset_id, block_number)`,
  sql`create index ledger_entries_without_block on ledger_entries (tenant_id, occurred_at) where block_number is null`,
  sql`create index ledger_entries_by_transaction on ledger_entries (tenant_id, tx_hash) where tx_hash is not null`,
  sql`create index ledger_entries_by_asset on ledger_entries (asset_id)`,

  // How far the ledger of a wallet on a chain reaches: every block from `from_block` to `through_block` has been looked at. `has_native` is false once movements of the chain's coin were told by no endpoint for a
  // part of them. Whoever reads on holds a claim, and only with it may say how it went. `past_*`: how far a part before `from_block` was read, that became known later.
  sql`create table transfer_imports (
    tenant_id uuid not null,
    wallet_id uuid not null,
    chain text not null,
    from_block bigint not null check (from_block >= 0),
    through_block bigint check (through_block >= 0),
    cursor text,
    has_native boolean,
    attempted_at timestamptz(3),
    caught_up_at timestamptz(3),
    outcome text check (outcome in ('ok', 'failed', 'unsupported')),
    error_code text,
    error_provider text,
    past_from_block bigint,
    past_through_block bigint,
    past_cursor text,
    past_attempted_at timestamptz(3),
    claim_id uuid,
    claimed_until timestamptz(3),
    created_at timestamptz(3) not null default now(),
    primary key (tenant_id, wallet_id, chain),
    foreign key (tenant_id, wallet_id, chain) references wallet_chains on delete cascade
  )`,
  sql`create index transfer_imports_by_attempt on transfer_imports (chain, attempted_at nulls first)`,
  sql`create index transfer_imports_by_claim on transfer_imports (claim_id) where claim_id is not null`,
];

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of UP) await statement.execute(db);
}

export async function down(db: Kysely<unknown>): Promise<void> {
  for (const table of ['transfer_imports', 'ledger_entries']) await db.schema.dropTable(table).execute();
}
