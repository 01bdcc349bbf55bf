import { type Kysely, type Selectable, sql, type Transaction } from 'kysely';
import type { Alert, AlertRule, Measure } from '../../domain/alerts/alert.ts';
import { Decimal, formatDecimal } from '../../domain/decimal.ts';
import type { NewEvent } from '../../domain/events/event.ts';
import type { IfVersion } from '../../domain/version.ts';
import { checkVersion } from '../check-version.ts';
import { SHARED_DATA_ID } from '../data-version.ts';
import { recordEvents } from '../events/record-events.ts';
import { toPlainDecimal } from '../plain-decimal.ts';
import type { Schema } from '../schema.ts';
import { toStorableText } from '../storable-text.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { isUuid } from '../uuid.ts';

export type AlertPatch = Partial<
  Pick<AlertRule, 'name' | 'direction' | 'threshold' | 'hysteresis' | 'cooldownSeconds' | 'isEnabled'>
> & { readonly ifVersion?: IfVersion };

/** What an alert was found to be. */
export type Evaluation = Measure & {
  readonly alert: Pick<Alert, 'id' | 'revision'>;
  /** Sets it off or ends it, with what tells of that; null: nothing changes. */
  readonly change: { readonly isTriggered: boolean; readonly event: NewEvent } | null;
};

/** What tenants want to be told of. */
export type AlertStore = {
  /** Undefined when the tenant has `limit` of them already. */
  add(tenantId: string, rule: AlertRule, limit: number): Promise<Alert | undefined>;
  /** Oldest first. */
  list(tenantId: string): Promise<readonly Alert[]>;
  /** These give undefined when there is no such alert. */
  get(tenantId: string, id: string): Promise<Alert | undefined>;
  /** These two throw precondition_failed. */
  update(tenantId: string, id: string, patch: AlertPatch): Promise<Alert | undefined>;
  delete(tenantId: string, id: string, ifVersion?: IfVersion): Promise<boolean>;
  /** Tenants with alerts that were not looked at since something changed, or for so long. */
  listDue(options: { readonly maxAgeSeconds: number; readonly limit: number }): Promise<readonly string[]>;
  /**
   * Writes down what the alerts were found to be at a version of the data, and the events of those that change. Without effect on one that has changed since it was read: of two who look at the same
   * time, one decides. Gives the events.
   */
  saveAll(tenantId: string, evaluations: readonly Evaluation[], seenVersion: string): Promise<readonly NewEvent[]>;
};

export function createAlertStore(db: TenantDb): AlertStore {
  return {
    add: (tenantId, rule, limit) => inTransaction(db.of(tenantId), (trx) => add(trx, tenantId, { rule, limit })),
    async list(tenantId) {
      const rows = await select(db.of(tenantId), tenantId).orderBy('id').execute();
      return rows.map(toAlert);
    },
    async get(tenantId, id) {
      if (!isUuid(id)) return undefined;
      const row = await select(db.of(tenantId), tenantId).where('id', '=', id).executeTakeFirst();
      return row && toAlert(row);
    },
    async update(tenantId, id, patch) {
      if (!isUuid(id)) return undefined;
      return inTransaction(db.of(tenantId), async (trx) => {
        await checkVersion(trx, { table: 'alerts', tenantId, id, ifVersion: patch.ifVersion ?? null });
        const row = await trx
          .updateTable('alerts')
          .set(({ ref }) => ({
            ...toColumns(patch),
            // To be looked at anew.
            seen_version: null,
            revision: sql<number>`${ref('revision')} + 1`,
            version: sql<number>`${ref('version')} + 1`,
            updated_at: sql<Date>`now()`,
          }))
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirst();
        return row && toAlert(row);
      });
    },
    async delete(tenantId, id, ifVersion = null) {
      if (!isUuid(id)) return false;
      return inTransaction(db.of(tenantId), async (trx) => {
        await checkVersion(trx, { table: 'alerts', tenantId, id, ifVersion });
        const query = trx.deleteFrom('alerts').where('tenant_id', '=', tenantId).where('id', '=', id);
        return (await query.executeTakeFirst()).numDeletedRows > 0n;
      });
    },
    async listDue({ maxAgeSeconds, limit }) {
      const { rows } = await sql<{ tenant_id: string }>`
        select a.tenant_id from alerts a
        left join data_versions own on own.tenant_id = a.tenant_id
        left join data_versions shared on shared.tenant_id = ${SHARED_DATA_ID}
        where a.enabled and (
          a.seen_version is distinct from coalesce(own.version, 0) || '.' || coalesce(shared.version, 0)
          or a.evaluated_at <= now() - make_interval(secs => ${maxAgeSeconds})
        )
        group by a.tenant_id order by min(a.evaluated_at) nulls first limit ${limit}`.execute(db.all);
      return rows.map((row) => row.tenant_id);
    },
    saveAll: (tenantId, evaluations, seenVersion) =>
      inTransaction(db.of(tenantId), (trx) => saveAll(trx, tenantId, { evaluations, seenVersion })),
  };
}

async function add(
  trx: Transaction<Schema>,
  tenantId: string,
  { rule, limit }: { readonly rule: AlertRule; readonly limit: number },
): Promise<Alert | undefined> {
  // Two that come at once are not to be one too many.
  await sql`select pg_advisory_xact_lock(hashtextextended('alerts ' || ${tenantId}, 0))`.execute(trx);
  const { count } = await trx
    .selectFrom('alerts')
    .where('tenant_id', '=', tenantId)
    .select(sql<number>`count(*)::int`.as('count'))
    .executeTakeFirstOrThrow();
  if (count >= limit) return undefined;
  const row = await trx
    .insertInto('alerts')
    .values({
      tenant_id: tenantId,
      kind: rule.kind,
      wallet_id: rule.walletId,
      asset_id: rule.assetId,
      currency: rule.currency,
      name: toStorableText(rule.name),
      direction: rule.direction,
      threshold: formatDecimal(rule.threshold),
      hysteresis: formatDecimal(rule.hysteresis),
      cooldown_seconds: rule.cooldownSeconds,
      enabled: rule.isEnabled,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toAlert(row);
}

type Columns = Partial<{
  name: string | null;
  direction: AlertRule['direction'];
  threshold: string;
  hysteresis: string;
  cooldown_seconds: number;
  enabled: boolean;
}>;

function toColumns({ name, direction, threshold, hysteresis, cooldownSeconds, isEnabled }: AlertPatch): Columns {
  return {
    ...(name === undefined ? {} : { name: toStorableText(name) }),
    ...(direction === undefined ? {} : { direction }),
    ...(threshold === undefined ? {} : { threshold: formatDecimal(threshold) }),
    ...(hysteresis === undefined ? {} : { hysteresis: formatDecimal(hysteresis) }),
    ...(cooldownSeconds === undefined ? {} : { cooldown_seconds: cooldownSeconds }),
    ...(isEnabled === undefined ? {} : { enabled: isEnabled }),
  };
}

type Saving = { readonly evaluations: readonly Evaluation[]; readonly seenVersion: string };

async function saveAll(
  trx: Transaction<Schema>,
  tenantId: string,
  { evaluations, seenVersion }: Saving,
): Promise<readonly NewEvent[]> {
  const { rows } = await sql<{ id: string }>`
    with found as materialized (
      select a.id, f.is_triggered, f.value, f.reasons
      from alerts a join unnest(
        ${evaluations.map(({ alert }) => alert.id)}::uuid[],
        ${evaluations.map(({ alert }) => alert.revision)}::integer[],
        ${evaluations.map(({ change }) => change?.isTriggered ?? null)}::boolean[],
        ${evaluations.map(({ value }) => (value === null ? null : formatDecimal(value)))}::numeric[],
        ${evaluations.map(({ unknownReasons }) => unknownReasons.join(','))}::text[]
      ) as f (id, revision, is_triggered, value, reasons) on f.id = a.id and f.revision = a.revision
      where a.tenant_id = ${tenantId} order by a.id for update of a
    )
    update alerts a set
      is_triggered = coalesce(f.is_triggered, a.is_triggered),
      triggered_at = case when f.is_triggered then now() else a.triggered_at end,
      resolved_at = case when not f.is_triggered then now() else a.resolved_at end,
      value = f.value, unknown_reasons = string_to_array(f.reasons, ','),
      evaluated_at = now(), seen_version = ${seenVersion}, revision = a.revision + 1
    from found f where a.tenant_id = ${tenantId} and a.id = f.id
    returning a.id`.execute(trx);
  const saved = new Set(rows.map((row) => row.id));
  const events = evaluations.flatMap(({ alert, change }) => (change !== null && saved.has(alert.id) ? [change.event] : []));
  await recordEvents(trx, tenantId, events);
  return events;
}

function select(db: Kysely<Schema>, tenantId: string) {
  return db.selectFrom('alerts').selectAll().where('tenant_id', '=', tenantId);
}

function toAlert(row: Selectable<Schema['alerts']>): Alert {
  return {
    id: row.id,
    kind: row.kind,
    walletId: row.wallet_id,
    assetId: row.asset_id,
    currency: row.currency,
    name: row.name,
    direction: row.direction,
    threshold: toDecimal(row.threshold),
    hysteresis: toDecimal(row.hysteresis),
    cooldownSeconds: row.cooldown_seconds,
    isEnabled: row.enabled,
    state: {
      isTriggered: row.is_triggered,
      value: row.value === null ? null : toDecimal(row.value),
      unknownReasons: row.unknown_reasons,
      evaluatedAt: row.evaluated_at,
      triggeredAt: row.triggered_at,
      resolvedAt: row.resolved_at,
    },
    revision: row.revision,
    version: row.version,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

function toDecimal(digits: string): Decimal {
  return new Decimal(toPlainDecimal(digits));
}
