import { type Kysely, sql } from 'kysely';
import { Decimal } from '../../domain/decimal.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import type { SourceError } from '../../domain/holding.ts';
import type { EntryType, LedgerEntry, LedgerOrigin, NewLedgerEntry } from '../../domain/ledger/ledger.ts';
import { noteChange } from '../data-version.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';
import { deleteEntry, type EntryChange, type EntryToChange, updateEntry } from './entry-changes.ts';
import type { LedgerFilter } from './ledger-store.ts';
import { entryKey, insertEntries } from './save-entries.ts';
import { classifiedEntries, type EntryRow, matches, toEntry } from './select-entries.ts';

/** A place in a list that goes from new to old. */
export type EntryPlace = { readonly at: Date; readonly id: string };

export type EntryQuery = LedgerFilter & {
  /** `from` is part of it, `to` is not; null: without an end. */
  readonly from: Date | null;
  readonly to: Date | null;
  readonly types: readonly EntryType[] | null;
  readonly origins: readonly LedgerOrigin[] | null;
  /** Only what comes after this place. One of an id that no entry has stands before or after all entries of its moment. */
  readonly after: EntryPlace | null;
  readonly limit: number;
};

/** How far the ledger of a wallet reaches on a chain. */
export type TransferImport = {
  readonly walletId: string;
  readonly chain: string;
  readonly fromBlock: bigint;
  readonly throughBlock: bigint | null;
  /** Whether a part of what was to be read is still to come. */
  readonly isUnderWay: boolean;
  /** Whether movements of the chain's coin were told as well; null before the first good reading. */
  readonly hasNative: boolean | null;
  /** Null before the first attempt. */
  readonly attemptedAt: Date | null;
  readonly outcome: 'ok' | 'failed' | 'unsupported' | null;
  readonly error: SourceError | null;
};

/** What an asset was quoted at, at the last moment not after the one asked for. */
export type QuoteAt = { readonly value: Decimal; readonly source: string; readonly quotedAt: Date };

/** An asset of a wallet at a snapshot. */
export type ShownAmount = { readonly walletId: string; readonly assetId: string; readonly at: Date };

export type TransactionStore = {
  /** Newest first. */
  list(tenantId: string, query: EntryQuery): Promise<readonly LedgerEntry[]>;
  getMany(tenantId: string, ids: readonly string[]): Promise<readonly LedgerEntry[]>;
  /** Stores those that are not there yet: their ids by their keys (`keyOf`). */
  addNew(tenantId: string, entries: readonly NewLedgerEntry[]): Promise<ReadonlyMap<string, string>>;
  /** Stores all of them: their ids, in the order given. Throws conflict, with nothing stored, when one of them is there already or its wallet is gone. */
  addAll(tenantId: string, entries: readonly NewLedgerEntry[]): Promise<readonly string[]>;
  /** The keys of those that are there already. */
  findKnown(tenantId: string, entries: readonly NewLedgerEntry[]): Promise<ReadonlySet<string>>;
  keyOf(entry: Pick<NewLedgerEntry, 'walletId' | 'reference'>): string;
  /** These two take only what was entered by hand or from a file, and throw precondition_failed when it has another version. */
  update(
    tenantId: string,
    entry: EntryToChange & { readonly change: EntryChange },
  ): Promise<'updated' | 'duplicate' | 'not_found' | 'from_chain'>;
  delete(tenantId: string, entry: EntryToChange): Promise<'deleted' | 'not_found' | 'from_chain'>;
  listImports(tenantId: string): Promise<readonly TransferImport[]>;
  /** When snapshots were taken, newest first; none after `until`. */
  listSnapshotTimes(tenantId: string, query: { readonly until: Date | null; readonly limit: number }): Promise<readonly Date[]>;
  /** Of what the amounts showed by then, by the place in the list: that which transfers were not read up to yet, so that they may still explain it. */
  findUnread(tenantId: string, shown: readonly ShownAmount[]): Promise<ReadonlySet<number>>;
  /** By the place in the list. */
  readQuotes(moments: readonly { readonly assetId: string; readonly at: Date }[]): Promise<ReadonlyMap<number, QuoteAt>>;
};

export function createTransactionStore(db: TenantDb): TransactionStore {
  return {
    list: (tenantId, query) => list(db.of(tenantId), tenantId, query),
    async getMany(tenantId, ids) {
      const { rows } = await sql<EntryRow>`
        select e.* from ${classifiedEntries(tenantId)} e where e.id = any(${ids.filter(isUuid)}::uuid[])`.execute(
        db.of(tenantId),
      );
      return rows.map(toEntry);
    },
    async addNew(tenantId, entries) {
      if (entries.length === 0) return new Map();
      return inTransaction(db.of(tenantId), async (trx) => {
        const ids = await insertEntries(trx, tenantId, entries);
        if (ids.size > 0) await noteChange(trx, tenantId);
        return ids;
      });
    },
    addAll: (tenantId, entries) => addAll(db.of(tenantId), tenantId, entries),
    findKnown: (tenantId, entries) => findKnown(db.of(tenantId), tenantId, entries),
    keyOf: entryKey,
    update: (tenantId, entry) => updateEntry(db.of(tenantId), tenantId, entry),
    delete: (tenantId, entry) => deleteEntry(db.of(tenantId), tenantId, entry),
    listImports: (tenantId) => listImports(db.of(tenantId), tenantId),
    async listSnapshotTimes(tenantId, { until, limit }) {
      let query = db
        .of(tenantId)
        .selectFrom('snapshots')
        .select('at')
        .where('tenant_id', '=', tenantId)
        .orderBy('at', 'desc')
        .limit(limit);
      if (until !== null) query = query.where('at', '<=', until);
      return (await query.execute()).map(({ at }) => at);
    },
    findUnread: (tenantId, shown) => findUnread(db.of(tenantId), tenantId, shown),
    async readQuotes(moments) {
      const { rows } = await sql<{ place: number; value: string; source: string; at: Date }>`
        select m.place::int - 1 as place, p.value, p.source, p.at
        from unnest(
          ${moments.map(({ assetId }) => assetId)}::uuid[],
          ${moments.map(({ at }) => at.toISOString())}::timestamptz[]
        ) with ordinality as m (asset_id, at, place)
        cross join lateral (
          select value, source, at from price_points where asset_id = m.asset_id and at <= m.at order by at desc limit 1
        ) p`.execute(db.all);
      return new Map(rows.map(({ place, value, source, at }) => [place, { value: new Decimal(value), source, quotedAt: at }]));
    },
  };
}

async function list(db: Kysely<Schema>, tenantId: string, query: EntryQuery): Promise<readonly LedgerEntry[]> {
  const { from, to, types, origins, after, limit } = query;
  const comesAfter = (place: EntryPlace): ReturnType<typeof sql> =>
    isUuid(place.id)
      ? sql`(e.occurred_at, e.id) < (${place.at}::timestamptz, ${place.id}::uuid)`
      : sql`e.occurred_at <= ${place.at}`;
  const conditions = [
    matches('e', query),
    ...(from === null ? [] : [sql`e.occurred_at >= ${from}`]),
    ...(to === null ? [] : [sql`e.occurred_at < ${to}`]),
    ...(types === null ? [] : [sql`e.type = any(${types}::text[])`]),
    ...(origins === null ? [] : [sql`e.origin = any(${origins}::text[])`]),
    ...(after === null ? [] : [comesAfter(after)]),
  ];
  const { rows } = await sql<EntryRow>`
    select e.* from ${classifiedEntries(tenantId)} e
    where ${sql.join(conditions, sql` and `)}
    order by e.occurred_at desc, e.id desc limit ${limit}`.execute(db);
  return rows.map(toEntry);
}

async function addAll(db: Kysely<Schema>, tenantId: string, entries: readonly NewLedgerEntry[]): Promise<readonly string[]> {
  return inTransaction(db, async (trx) => {
    const ids = await insertEntries(trx, tenantId, entries);
    if (ids.size < entries.length) {
      throw new AppError(
        'conflict',
        'Some of these were added, or their wallet removed, by somebody else at this moment. None was added.',
      );
    }
    await noteChange(trx, tenantId);
    return entries.flatMap((entry) => ids.get(entryKey(entry)) ?? []);
  });
}

async function findKnown(db: Kysely<Schema>, tenantId: string, entries: readonly NewLedgerEntry[]): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ wallet_id: string; reference: string }>`
    select e.wallet_id, e.reference from ledger_entries e
    join unnest(
      ${entries.map(({ walletId }) => walletId)}::uuid[], ${entries.map(({ reference }) => reference)}::text[]
    ) as i (wallet_id, reference) on e.wallet_id = i.wallet_id and e.reference = i.reference
    where e.tenant_id = ${tenantId}`.execute(db);
  return new Set(rows.map((row) => entryKey({ walletId: row.wallet_id, reference: row.reference })));
}

async function listImports(db: Kysely<Schema>, tenantId: string): Promise<readonly TransferImport[]> {
  const rows = await db
    .selectFrom('transfer_imports')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .orderBy('wallet_id')
    .orderBy('chain')
    .execute();
  return rows.map((row) => ({
    walletId: row.wallet_id,
    chain: row.chain,
    fromBlock: BigInt(row.from_block),
    throughBlock: row.through_block === null ? null : BigInt(row.through_block),
    isUnderWay: row.cursor !== null,
    hasNative: row.has_native,
    attemptedAt: row.attempted_at,
    outcome: row.outcome,
    error: toError(row.error_code, row.error_provider),
  }));
}

/** By the block of the amount; where transfers cannot be read there is nothing to wait for. */
async function findUnread(db: Kysely<Schema>, tenantId: string, shown: readonly ShownAmount[]): Promise<ReadonlySet<number>> {
  if (shown.length === 0) return new Set();
  const { rows } = await sql<{ place: number }>`
    select m.place::int - 1 as place
    from unnest(
      ${shown.map(({ walletId }) => walletId)}::uuid[],
      ${shown.map(({ assetId }) => assetId)}::uuid[],
      ${shown.map(({ at }) => at.toISOString())}::timestamptz[]
    ) with ordinality as m (wallet_id, asset_id, at, place)
    join assets a on a.id = m.asset_id
    join transfer_imports i on i.tenant_id = ${tenantId} and i.wallet_id = m.wallet_id and i.chain = a.chain
    cross join lateral (
      select max(last.block_number) as block
      from (values ('wallet'), ('stake')) position (name)
      cross join lateral (
        select p.block_number from holding_points p
        where p.tenant_id = ${tenantId} and p.wallet_id = m.wallet_id and p.asset_id = m.asset_id and p.position = position.name
          and p.at <= m.at
        order by p.at desc limit 1
      ) last
    ) seen
    where i.outcome is distinct from 'unsupported' and (seen.block > coalesce(i.through_block, -1) or seen.block < i.from_block)`.execute(
    db,
  );
  return new Set(rows.map(({ place }) => place));
}

function toError(code: ErrorCode | null, provider: string | null): SourceError | null {
  return code === null ? null : { code, provider };
}
