import type { Config } from '../config.ts';
import { createKeyStore, type KeyStore } from '../db/access/key-store.ts';
import { createQuotaStore, type QuotaStore } from '../db/access/quota-store.ts';
import { type AlertStore, createAlertStore } from '../db/alerts/alert-store.ts';
import { type ChangeFeed, createChangeFeed } from '../db/change-feed.ts';
import { type DataTimes, readDataTimes } from '../db/data-times.ts';
import { createDatabase, type Database } from '../db/database.ts';
import { startEmbeddedPostgres } from '../db/embedded/embedded-postgres.ts';
import { createRpcEndpointStore, type RpcEndpointStore } from '../db/endpoints/rpc-endpoint-store.ts';
import { createEventStore, type EventStore } from '../db/events/event-store.ts';
import { createSourceWatchStore, type SourceWatchStore } from '../db/events/source-watch-store.ts';
import { type BackfillStore, createBackfillStore } from '../db/history/backfill-store.ts';
import { createHealingStore, type HealingStore } from '../db/history/healing-store.ts';
import { createPriceHistoryStore, type PriceHistoryStore } from '../db/history/price-history-store.ts';
import { createSnapshotStore, type SnapshotStore } from '../db/history/snapshot-store.ts';
import { createTransferImportStore, type TransferImportStore } from '../db/ledger/transfer-import-store.ts';
import { createTransferPastStore, type TransferPastStore } from '../db/ledger/transfer-past-store.ts';
import { migrateToLatest, pendingMigrations } from '../db/migrations.ts';
import { createRefreshStore, type RefreshStore } from '../db/refresh-store.ts';
import { createIdempotencyStore, type IdempotencyStore } from '../db/requests/idempotency-store.ts';
import { readSecret } from '../db/requests/read-secret.ts';
import { createScheduleStore, type ScheduleStore } from '../db/schedule-store.ts';
import { type AttemptStore, createAttemptStore } from '../db/webhooks/attempt-store.ts';
import { createDeliveryStore, type DeliveryStore } from '../db/webhooks/delivery-store.ts';
import { createWebhookStore, type WebhookStore } from '../db/webhooks/webhook-store.ts';
import { AppError } from '../domain/errors.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../lib/metrics.ts';
import { StartupError } from '../lib/startup-error.ts';
import { createReadStores, openReplica, type ReadStores, type Replica } from './compose-replica.ts';

export type Storage = ReadStores & {
  readonly refreshes: RefreshStore;
  readonly schedules: ScheduleStore;
  readonly snapshots: SnapshotStore;
  readonly events: EventStore;
  readonly sourceWatch: SourceWatchStore;
  readonly healing: HealingStore;
  readonly backfills: BackfillStore;
  readonly priceHistory: PriceHistoryStore;
  readonly transferImports: TransferImportStore;
  readonly transferPasts: TransferPastStore;
  readonly rpcEndpoints: RpcEndpointStore;
  readonly idempotency: IdempotencyStore;
  readonly quotas: QuotaStore;
  readonly keys: KeyStore;
  readonly webhooks: WebhookStore;
  readonly deliveries: DeliveryStore;
  readonly attempts: AttemptStore;
  readonly alerts: AlertStore;
  /** What cursors are signed with. */
  readCursorSecret(): Promise<Buffer>;
  /** The database, for those who bring their own connections; whether it is ours alone, to change as we like. */
  readonly url: string;
  readonly isEmbedded: boolean;
  /** Tells of changes once it is started. */
  readonly feed: ChangeFeed;
  /** Where reads may go instead; null: nowhere. */
  readonly replica: Replica | null;
  ping(): Promise<void>;
  isSchemaCurrent(): Promise<boolean>;
  poolSize: Database['poolSize'];
  readDataTimes(): Promise<DataTimes>;
  close(): Promise<void>;
};

const NOT_FORCED =
  'DATABASE_URL: the login passes row security by and may not act as chainfolio_app, so that nothing but the queries themselves keeps tenants apart';

const SEES_NOTHING =
  'DATABASE_URL: this login sees no rows. Use the one that ran `npm run migrate`, and no pooler that drops the `options` of a connection';

/** One small question at a time, which is worth no wait. */
const FOR_VERSIONS = { queryTimeoutMs: 2_000, maxConnections: 2 } as const;

/** The outside database, which must be up to date, or the embedded one, which is brought up to date. Throws StartupError. */
export async function openStorage(
  config: Config,
  { log, metrics }: { readonly log: Logger; readonly metrics: Pick<Metrics, 'onQuery'> },
): Promise<Storage> {
  const embedded = config.databaseUrl === null ? await startEmbeddedPostgres({ dataDir: config.dataDir, log }) : undefined;
  const url = embedded?.url ?? config.databaseUrl ?? '';
  const onQuery = (query: { isGood: boolean; seconds: number }): void => metrics.onQuery({ pool: 'primary', ...query });
  const database = createDatabase({ url, log, onQuery });
  const versions = createDatabase({ url, log, ...FOR_VERSIONS });
  const feed = createChangeFeed({ url, db: versions.db, log });
  const replica = openReplica(config, { feed, log, metrics });
  const { db, tenants } = database;
  const storage: Storage = {
    ...createReadStores(tenants),
    refreshes: createRefreshStore(tenants),
    schedules: createScheduleStore(tenants),
    snapshots: createSnapshotStore(tenants),
    events: createEventStore(tenants),
    sourceWatch: createSourceWatchStore(tenants),
    healing: createHealingStore(tenants),
    backfills: createBackfillStore(tenants),
    priceHistory: createPriceHistoryStore(tenants),
    transferImports: createTransferImportStore(tenants),
    transferPasts: createTransferPastStore(tenants),
    rpcEndpoints: createRpcEndpointStore(tenants),
    idempotency: createIdempotencyStore(database.tenants),
    quotas: createQuotaStore(tenants),
    keys: createKeyStore(tenants),
    webhooks: createWebhookStore(tenants),
    deliveries: createDeliveryStore(tenants),
    attempts: createAttemptStore(tenants),
    alerts: createAlertStore(tenants),
    readCursorSecret: () => readSecret(database.db, 'cursors'),
    url,
    isEmbedded: embedded !== undefined,
    feed,
    replica,
    ping: () => database.ping(),
    isSchemaCurrent: async () => (await pendingMigrations(db)).length === 0,
    poolSize: () => database.poolSize(),
    readDataTimes: () => readDataTimes(db),
    async close() {
      await Promise.all([feed.close(), versions.close(), replica?.close(), database.close()]);
      await embedded?.stop();
    },
  };
  try {
    await prepare(database, storage.isEmbedded);
    const { isForced, seesAll } = await database.rowSecurity();
    if (!seesAll) throw new StartupError(SEES_NOTHING);
    if (!isForced) log.warn(NOT_FORCED);
  } catch (error) {
    await storage.close();
    throw error;
  }
  return storage;
}

async function prepare({ db }: Database, isOurs: boolean): Promise<void> {
  if (isOurs) await migrateToLatest(db);
  else if ((await pendingMigrations(db).catch(refuse)).length > 0)
    throw new StartupError('DATABASE_URL: the database is not up to date; run `npm run migrate` first');
}

function refuse(error: unknown): never {
  if (!(error instanceof AppError) || error.code !== 'database_unavailable') throw error;
  const cause = error.cause instanceof Error && error.cause.message !== '' ? ` (${error.cause.message})` : '';
  throw new StartupError(`DATABASE_URL: the database cannot be reached${cause}`);
}
