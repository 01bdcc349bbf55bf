import { type Kysely, sql, type Transaction } from 'kysely';
import type { ChainFamily } from '../domain/chain.ts';
import type { IfVersion } from '../domain/version.ts';
import type { Wallet } from '../domain/wallet.ts';
import { checkVersion } from './check-version.ts';
import { noteChange } from './data-version.ts';
import { recordEvents } from './events/record-events.ts';
import { toAddedEvents } from './events/wallet-events.ts';
import type { Schema } from './schema.ts';
import { toStorableText } from './storable-text.ts';
import type { TenantDb } from './tenant-db.ts';
import { inTransaction } from './transaction.ts';
import { isUuid } from './uuid.ts';

export type NewWallet = {
  readonly family: ChainFamily;
  readonly address: string;
  readonly name: string | null;
  readonly label: string | null;
  readonly chains: readonly string[];
};

export type WalletPage = { readonly wallets: readonly Wallet[]; readonly next: WalletCursor | null };
export type WalletCursor = { readonly createdAt: Date; readonly id: string };

export type WalletStore = {
  /**
   * Adds wallets, in the order given, in one transaction. One whose family and address the tenant follows already keeps its id, name and label,
   * gains the chains it lacks, and comes back as not created. One that was deleted is created with the id it had, so that its history goes on. The same address twice in one call is one wallet.
   */
  addMany(tenantId: string, wallets: readonly NewWallet[]): Promise<readonly { wallet: Wallet; created: boolean }[]>;
  /** The same as long as the tenant has no more than `max` wallets then: the first that are new fit in, the rest come back undefined. */
  addUpTo(
    tenantId: string,
    max: number,
    wallets: readonly NewWallet[],
  ): Promise<readonly ({ wallet: Wallet; created: boolean } | undefined)[]>;
  get(tenantId: string, id: string): Promise<Wallet | undefined>;
  /** Newest last; `chain` keeps wallets that follow it. */
  list(
    tenantId: string,
    options: { readonly limit: number; readonly after: WalletCursor | null; readonly chain: string | null },
  ): Promise<WalletPage>;
  /** All wallets of a scope at once, oldest first; null means all. */
  listAll(tenantId: string, scope: { readonly walletIds: readonly string[] | null }): Promise<readonly Wallet[]>;
  /** Every chain that a wallet of any tenant follows. */
  listFollowedChains(): Promise<ReadonlySet<string>>;
  /** Throws precondition_failed when the wallet has another version. */
  setLabel(
    tenantId: string,
    id: string,
    change: { readonly label: string | null; readonly ifVersion?: IfVersion },
  ): Promise<Wallet | undefined>;
  /** Also deletes the wallet's balances and sources; its id stays known for when it is added again. False when there is no such wallet. Throws precondition_failed when it has another version. */
  delete(tenantId: string, id: string, ifVersion?: IfVersion): Promise<boolean>;
};

export function createWalletStore(db: TenantDb): WalletStore {
  return {
    async addMany(tenantId, wallets) {
      const added = await addAll(db.of(tenantId), { tenantId, wallets, max: null });
      return added.filter((entry) => entry !== undefined);
    },
    addUpTo: (tenantId, max, wallets) => addAll(db.of(tenantId), { tenantId, wallets, max }),
    async get(tenantId, id) {
      if (!isUuid(id)) return undefined;
      const row = await selectWallets(db.of(tenantId), tenantId).where('id', '=', id).executeTakeFirst();
      return row && toWallet(row);
    },
    list: (tenantId, options) => list(db.of(tenantId), tenantId, options),
    async listAll(tenantId, { walletIds }) {
      let query = selectWallets(db.of(tenantId), tenantId).orderBy('created_at').orderBy('id');
      if (walletIds !== null) query = query.where(sql<boolean>`id = any(${walletIds.filter(isUuid)}::uuid[])`);
      return (await query.execute()).map(toWallet);
    },
    async listFollowedChains() {
      const rows = await db.all.selectFrom('wallet_chains').select('chain').distinct().execute();
      return new Set(rows.map((row) => row.chain));
    },
    async setLabel(tenantId, id, { label, ifVersion = null }) {
      if (!isUuid(id)) return undefined;
      await inTransaction(db.of(tenantId), async (trx) => {
        await checkVersion(trx, { table: 'wallets', tenantId, id, ifVersion });
        await trx
          .updateTable('wallets')
          .set({ label: toStorableText(label), updated_at: sql<Date>`now()`, version: sql<number>`version + 1` })
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .execute();
        await noteChange(trx, tenantId);
      });
      return this.get(tenantId, id);
    },
    async delete(tenantId, id, ifVersion = null) {
      if (!isUuid(id)) return false;
      return inTransaction(db.of(tenantId), async (trx) => {
        await checkVersion(trx, { table: 'wallets', tenantId, id, ifVersion });
        const { rows } = await sql<{ family: string; address: string }>`
          with deleted as (
            delete from wallets where tenant_id = ${tenantId} and id = ${id} returning tenant_id, family, address, id
          ), noted as (
            insert into removed_wallets (tenant_id, family, address, wallet_id) select * from deleted
            on conflict (tenant_id, family, address) do update set wallet_id = excluded.wallet_id
          )
          select family, address from deleted`.execute(trx);
        const [deleted] = rows;
        if (deleted === undefined) return false;
        await recordEvents(trx, tenantId, [{ type: 'wallet.removed', data: { wallet_id: id, ...deleted } }]);
        await noteChange(trx, tenantId);
        return true;
      });
    },
  };
}

type Adding = { readonly tenantId: string; readonly wallets: readonly NewWallet[]; readonly max: number | null };

async function addAll(db: Kysely<Schema>, { tenantId, wallets, max }: Adding): Promise<readonly (Added | undefined)[]> {
  if (wallets.length === 0) return [];
  const merged = mergeRepeats(wallets);
  const stored = await inTransaction(db, async (trx) => {
    const fitting = max === null ? merged : await keepWithin(trx, { tenantId, merged, max });
    const added = await upsertAll(trx, tenantId, fitting);
    await recordEvents(trx, tenantId, toAddedEvents(added.values()));
    await noteChange(trx, tenantId);
    return added;
  });
  return wallets.map((wallet) => {
    const found = stored.get(walletKey(wallet));
    if (found === undefined) return undefined;
    return { ...found, created: found.created && requireEntry(merged, walletKey(wallet)).first === wallet };
  });
}

type Asked = { readonly tenantId: string; readonly merged: ReadonlyMap<string, Merged>; readonly max: number };

/** Those that are there already, and the first new ones that there is room for. Whoever adds to a tenant counts after whoever did before. */
async function keepWithin(trx: Transaction<Schema>, { tenantId, merged, max }: Asked): Promise<ReadonlyMap<string, Merged>> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`chainfolio wallets ${tenantId}`}, 0))`.execute(trx);
  const firsts = [...merged.values()].map(({ first }) => first);
  const { rows } = await sql<{ family: ChainFamily; address: string; total: string }>`
    select i.family, i.address, (select count(*) from wallets where tenant_id = ${tenantId}) as total
    from unnest(${firsts.map(({ family }) => family)}::text[], ${firsts.map(({ address }) => address)}::text[])
      with ordinality as i (family, address, ordinal)
    where not exists (
      select from wallets w where w.tenant_id = ${tenantId} and w.family = i.family and w.address = i.address
    )
    order by i.ordinal`.execute(trx);
  const room = Math.max(0, max - Number(rows[0]?.total ?? 0));
  const tooMany = new Set(rows.slice(room).map(walletKey));
  return new Map([...merged].filter(([key]) => !tooMany.has(key)));
}

type Merged = { readonly first: NewWallet; readonly chains: readonly string[] };
type Added = { readonly wallet: Wallet; readonly created: boolean };

function walletKey({ family, address }: Pick<Wallet, 'family' | 'address'>): string {
  return `${family}/${address}`;
}

/** Each address once, with the chains of all its mentions. */
function mergeRepeats(wallets: readonly NewWallet[]): ReadonlyMap<string, Merged> {
  const merged = new Map<string, Merged>();
  for (const wallet of wallets) {
    const known = merged.get(walletKey(wallet));
    const chains = new Set([...(known?.chains ?? []), ...wallet.chains]);
    merged.set(walletKey(wallet), { first: known?.first ?? wallet, chains: [...chains] });
  }
  return merged;
}

async function upsertAll(
  trx: Transaction<Schema>,
  tenantId: string,
  merged: ReadonlyMap<string, Merged>,
): Promise<ReadonlyMap<string, Added>> {
  const rows = await upsertWallets(
    trx,
    tenantId,
    [...merged.values()].map(({ first }) => first),
  );
  await addChains(
    trx,
    tenantId,
    rows.flatMap((row) => requireEntry(merged, walletKey(row)).chains.map((chain) => ({ walletId: row.id, chain }))),
  );
  const createdIds = new Set(rows.filter((row) => row.created).map((row) => row.id));
  const wallets = await selectWallets(trx, tenantId)
    .where(sql<boolean>`id = any(${rows.map((row) => row.id)}::uuid[])`)
    .execute();
  return new Map(wallets.map((row) => [walletKey(row), { wallet: toWallet(row), created: createdIds.has(row.id) }]));
}

/** Ids rise in the order given, but for those of wallets that come back; rows are locked in the order of their addresses, so that two calls never wait for each other. */
async function upsertWallets(
  trx: Transaction<Schema>,
  tenantId: string,
  wallets: readonly NewWallet[],
): Promise<readonly { id: string; family: ChainFamily; address: string; created: boolean }[]> {
  const families = wallets.map((wallet) => wallet.family);
  const addresses = wallets.map((wallet) => wallet.address);
  const { rows } = await sql<{ id: string; family: ChainFamily; address: string; created: boolean }>`
    with removed as materialized (
      select r.* from removed_wallets r
      where r.tenant_id = ${tenantId} and (r.family, r.address) in (select * from unnest(${families}::text[], ${addresses}::text[]))
      order by r.family, r.address for update
    ), input as materialized (
      select coalesce((select r.wallet_id from removed r where r.family = i.family and r.address = i.address), uuidv7()) as id, i.*
      from unnest(
        ${families}::text[],
        ${addresses}::text[],
        ${wallets.map((wallet) => toStorableText(wallet.name))}::text[],
        ${wallets.map((wallet) => toStorableText(wallet.label))}::text[]
      ) as i (family, address, name, label)
    ), back as (
      delete from removed_wallets r using removed d where r.tenant_id = d.tenant_id and r.family = d.family and r.address = d.address
    )
    insert into wallets (tenant_id, id, family, address, name, label)
    select ${tenantId}, id, family, address, name, label from input order by family, address
    on conflict (tenant_id, family, address) do update set address = excluded.address
    returning wallets.id, wallets.family, wallets.address, old.id is null as created`.execute(trx);
  return rows;
}

/** Chains that are new to a wallet come after those it has, and are due to be read at once. */
async function addChains(
  trx: Transaction<Schema>,
  tenantId: string,
  links: readonly { walletId: string; chain: string }[],
): Promise<void> {
  await sql`
    with added as (
      insert into wallet_chains (tenant_id, wallet_id, chain, ordinal)
      select ${tenantId}, i.wallet_id, i.chain, i.ordinal + coalesce(
        (select max(c.ordinal) from wallet_chains c where c.tenant_id = ${tenantId} and c.wallet_id = i.wallet_id), 0)
      from unnest(
        ${links.map((link) => link.walletId)}::uuid[],
        ${links.map((link) => link.chain)}::text[]
      ) with ordinality as i (wallet_id, chain, ordinal)
      on conflict do nothing
      returning wallet_id, chain
    ), scheduled as (
      insert into wallet_schedules (tenant_id, wallet_id, chain) select ${tenantId}, wallet_id, chain from added
    )
    update wallets set updated_at = now(), version = version + 1
    where tenant_id = ${tenantId} and id in (select wallet_id from added) and created_at < now()::timestamptz(3)`.execute(trx);
}

async function list(
  db: Kysely<Schema>,
  tenantId: string,
  { limit, after, chain }: Parameters<WalletStore['list']>[1],
): Promise<WalletPage> {
  let query = selectWallets(db, tenantId)
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit + 1);
  if (after !== null) {
    query = query.where(sql<boolean>`(created_at, id) > (${after.createdAt}::timestamptz, ${after.id}::uuid)`);
  }
  if (chain !== null) {
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('wallet_chains as c')
          .whereRef('c.tenant_id', '=', 'wallets.tenant_id')
          .whereRef('c.wallet_id', '=', 'wallets.id')
          .where('c.chain', '=', chain),
      ),
    );
  }
  const rows = await query.execute();
  const wallets = rows.slice(0, limit).map(toWallet);
  const last = wallets.at(-1);
  const next = rows.length > limit && last !== undefined ? { createdAt: last.createdAt, id: last.id } : null;
  return { wallets, next };
}

const CHAINS = sql<string[]>`array(
  select c.chain from wallet_chains c
  where c.tenant_id = wallets.tenant_id and c.wallet_id = wallets.id order by c.ordinal, c.chain
)`;

function selectWallets(db: Kysely<Schema>, tenantId: string) {
  return db
    .selectFrom('wallets')
    .select(['id', 'family', 'address', 'name', 'label', 'created_at', 'updated_at', 'version', CHAINS.as('chains')])
    .where('tenant_id', '=', tenantId);
}

type WalletRow = Awaited<ReturnType<ReturnType<typeof selectWallets>['execute']>>[number];

function toWallet({ created_at: createdAt, updated_at: updatedAt, ...row }: WalletRow): Wallet {
  return { ...row, createdAt, updatedAt };
}

function requireEntry<T>(map: ReadonlyMap<string, T>, key: string): T {
  const entry = map.get(key);
  if (entry === undefined) throw new Error(`no entry for ${key}`);
  return entry;
}
