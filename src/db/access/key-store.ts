import { type Kysely, type Selectable, sql } from 'kysely';
import type { Scope } from '../../domain/access.ts';
import type { ApiKey } from '../../domain/api-key.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';

/** What is kept of a key. */
export type NewKey = Pick<ApiKey, 'id' | 'name' | 'scopes' | 'expiresAt'> & { readonly secretHash: Buffer };

/** A key with whose it is and what recognizes it. */
export type FoundKey = ApiKey & { readonly tenantId: string; readonly secretHash: Buffer };

export type KeyStore = {
  /** Undefined when the tenant has as many usable keys as it may. Keys that ended long ago are let go of. */
  add(tenantId: string, key: NewKey, limit: number): Promise<ApiKey | undefined>;
  /** A key of the service's owner, unless somebody has one that may do everything. `write` is done before it counts. */
  addFirst(tenantId: string, key: NewKey, write: () => Promise<void>): Promise<ApiKey | undefined>;
  /** Newest first. */
  list(tenantId: string): Promise<readonly ApiKey[]>;
  get(tenantId: string, id: string): Promise<ApiKey | undefined>;
  /** Puts a new key in the place of one, which ends after `overlapSeconds`. Undefined when that one cannot be used any more or was replaced already. */
  replace(tenantId: string, replacement: Replacement): Promise<ApiKey | undefined>;
  /** False when there is no such key; one that was revoked before stays as it was. */
  revoke(tenantId: string, id: string): Promise<boolean>;
  /** The key of this id, whose ever it is. */
  find(id: string): Promise<FoundKey | undefined>;
  /** Notes that a key was used, unless that was done within the last minute. */
  noteUse(tenantId: string, id: string): Promise<void>;
};

export type Replacement = { readonly oldId: string; readonly key: NewKey; readonly overlapSeconds: number };

/** How long one that has ended is still shown. */
const ENDED_KEPT_DAYS = 30;
/** One that makes the first key shuts out all others who want to. */
const FIRST_KEY_LOCK = 5_146_203;

export function createKeyStore(db: TenantDb): KeyStore {
  return {
    add: (tenantId, key, limit) =>
      inTransaction(db.of(tenantId), async (trx) => {
        await lockKeys(trx, tenantId);
        await trx.deleteFrom('api_keys').where('tenant_id', '=', tenantId).where(ENDED_LONG_AGO).execute();
        return (await countUsable(trx, tenantId)) >= limit ? undefined : insert(trx, tenantId, key);
      }),
    addFirst: (tenantId, key, write) =>
      inTransaction(db.all, async (trx) => {
        await sql`select pg_advisory_xact_lock(${FIRST_KEY_LOCK})`.execute(trx);
        const others = trx.selectFrom('api_keys').select('id').where(USABLE).where(sql<boolean>`'admin' = any(scopes)`);
        if ((await others.limit(1).executeTakeFirst()) !== undefined) return undefined;
        await write();
        return insert(trx, tenantId, key);
      }),
    async list(tenantId) {
      const rows = await selectKeys(db.of(tenantId), tenantId).orderBy('created_at', 'desc').orderBy('id').execute();
      return rows.map(toKey);
    },
    get: (tenantId, id) => get(db.of(tenantId), tenantId, id),
    replace: (tenantId, replacement) => inTransaction(db.of(tenantId), (trx) => replace(trx, tenantId, replacement)),
    async revoke(tenantId, id) {
      const { numUpdatedRows } = await db
        .of(tenantId)
        .updateTable('api_keys')
        .set({ revoked_at: sql<Date>`coalesce(revoked_at, now())` })
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async find(id) {
      const row = await db.all.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst();
      return row && { ...toKey(row), tenantId: row.tenant_id, secretHash: row.secret_hash };
    },
    async noteUse(tenantId, id) {
      await sql`
        update api_keys set last_used_at = now()
        where tenant_id = ${tenantId} and id = ${id} and (last_used_at is null or last_used_at <= now() - interval '1 minute')`.execute(
        db.of(tenantId),
      );
    },
  };
}

const USABLE = sql<boolean>`revoked_at is null and (expires_at is null or expires_at > now())`;
const ENDED_LONG_AGO = sql<boolean>`least(revoked_at, expires_at) < now() - make_interval(days => ${ENDED_KEPT_DAYS})`;

/** Who counts the keys of a tenant is alone with them. */
async function lockKeys(trx: Kysely<Schema>, tenantId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`api_keys ${tenantId}`}, 0))`.execute(trx);
}

async function countUsable(trx: Kysely<Schema>, tenantId: string): Promise<number> {
  const { count } = await trx
    .selectFrom('api_keys')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('tenant_id', '=', tenantId)
    .where(USABLE)
    .executeTakeFirstOrThrow();
  return Number(count);
}

async function insert(trx: Kysely<Schema>, tenantId: string, key: NewKey): Promise<ApiKey> {
  const { id, name, scopes, expiresAt, secretHash } = key;
  const row = await trx
    .insertInto('api_keys')
    .values({ tenant_id: tenantId, id, name, scopes: [...scopes], secret_hash: secretHash, expires_at: expiresAt })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toKey(row);
}

async function replace(
  trx: Kysely<Schema>,
  tenantId: string,
  { oldId, key, overlapSeconds }: Replacement,
): Promise<ApiKey | undefined> {
  const ended = await trx
    .updateTable('api_keys')
    .set({ replaced_by: key.id, expires_at: sql<Date>`least(expires_at, now() + make_interval(secs => ${overlapSeconds}))` })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', oldId)
    .where('replaced_by', 'is', null)
    .where(USABLE)
    .executeTakeFirst();
  return ended.numUpdatedRows === 0n ? undefined : insert(trx, tenantId, key);
}

async function get(db: Kysely<Schema>, tenantId: string, id: string): Promise<ApiKey | undefined> {
  const row = await selectKeys(db, tenantId).where('id', '=', id).executeTakeFirst();
  return row && toKey(row);
}

function selectKeys(db: Kysely<Schema>, tenantId: string) {
  return db.selectFrom('api_keys').selectAll().where('tenant_id', '=', tenantId);
}

type KeyRow = Selectable<Schema['api_keys']>;

function toKey(row: KeyRow): ApiKey {
  const scopes: readonly Scope[] = row.scopes;
  return {
    id: row.id,
    name: row.name,
    scopes,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    replacedBy: row.replaced_by,
  };
}
