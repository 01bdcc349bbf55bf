import type { ColumnType, Generated, JSONColumnType } from 'kysely';
import type { AssetFlag, TokenStandard } from '../domain/asset.ts';
import type { ChainFamily } from '../domain/chain.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { EventData, EventType } from '../domain/events/event.ts';
import type { Backfill, BackfillChain } from '../domain/history/backfill.ts';
import type { MissingSource, SnapshotGrade } from '../domain/history/snapshot.ts';
import type { Position, SourceKind } from '../domain/holding.ts';
import type { LedgerKind, LedgerOrigin } from '../domain/ledger/ledger.ts';
import type { PriceAttempt } from '../domain/price.ts';
import type { RefreshSource, RefreshStatus } from '../domain/refresh.ts';
import type { AccessTables } from './access/access-tables.ts';
import type { QuotaTables } from './access/quota-tables.ts';
import type { AlertTables } from './alerts/alert-tables.ts';
import type { EndpointTables } from './endpoints/endpoint-tables.ts';
import type { RequestTables } from './requests/request-tables.ts';
import type { WebhookTables } from './webhooks/webhook-tables.ts';

/** `numeric` and `bigint` come back as strings, so that no digit is ever lost; what goes in is a string too. */
type Exact = string;
type CreatedAt = ColumnType<Date, never, never>;

/** The tables as queries see them; the migrations are what makes them so. */
export type Schema = CoreTables &
  AccessTables &
  EndpointTables &
  EventTables &
  WebhookTables &
  AlertTables &
  RequestTables &
  QuotaTables;

type EventTables = {
  event_counters: { tenant_id: string; last_seq: Exact };
  events: {
    tenant_id: string;
    seq: Exact;
    id: Generated<string>;
    type: EventType;
    data: JSONColumnType<EventData>;
    occurred_at: Generated<Date>;
  };
  stale_sources: { tenant_id: string; wallet_id: string; chain: string; kind: SourceKind; told_at: Generated<Date> };
  snapshot_gaps: { tenant_id: string; told_through: Date };
};

type CoreTables = {
  wallets: {
    tenant_id: string;
    id: Generated<string>;
    family: ChainFamily;
    address: string;
    name: string | null;
    label: string | null;
    created_at: CreatedAt;
    updated_at: Generated<Date>;
    version: Generated<number>;
  };
  /** `tenant_id` of zeros: what all tenants share. */
  data_versions: { tenant_id: string; version: Generated<Exact> };
  wallet_schedules: {
    tenant_id: string;
    wallet_id: string;
    chain: string;
    due_at: Generated<Date>;
    interval_seconds: Generated<number>;
    idle_streak: Generated<number>;
    claim_id: string | null;
    claimed_until: Date | null;
  };
  wallet_chains: { tenant_id: string; wallet_id: string; chain: string; ordinal: number; created_at: CreatedAt };
  sources: {
    tenant_id: string;
    wallet_id: string;
    chain: string;
    kind: SourceKind;
    observed_at: Date | null;
    block_number: Exact | null;
    block_hash: string | null;
    attempted_at: Date;
    outcome: 'ok' | 'failed' | 'unsupported';
    error_code: ErrorCode | null;
    error_provider: string | null;
  };
  assets: {
    id: Generated<string>;
    chain: string;
    address: string | null;
    standard: TokenStandard;
    symbol: string | null;
    name: string | null;
    decimals: number | null;
    flags: AssetFlag[];
    listed: boolean;
    created_at: CreatedAt;
    updated_at: Generated<Date>;
  };
  asset_settings: {
    tenant_id: string;
    asset_id: string;
    tracked_at: Date | null;
    spam: 'spam' | 'not_spam' | null;
    manual_price: Exact | null;
    manual_price_set_at: Date | null;
    accepted_price: Exact | null;
    accepted_at: Date | null;
    version: Generated<number>;
  };
  balances: {
    tenant_id: string;
    wallet_id: string;
    chain: string;
    asset_id: string;
    position: Position;
    amount_raw: Exact | null;
    frozen_raw: Exact;
    ui_amount: Exact | null;
    ui_multiplier: Exact | null;
    observed_at: Date | null;
    block_number: Exact | null;
    block_hash: string | null;
    error_code: ErrorCode | null;
    error_provider: string | null;
  };
  prices: {
    asset_id: string;
    good_value: Exact | null;
    good_source: string | null;
    good_quoted_at: Date | null;
    suspect_value: Exact | null;
    suspect_source: string | null;
    suspect_quoted_at: Date | null;
    checked_at: Date | null;
    attempts: JSONColumnType<PriceAttempt[]>;
  };
  fx_rates: { currency: string; per_usd: Exact; source: string; quoted_at: Date };
  refreshes: {
    tenant_id: string;
    id: Generated<string>;
    status: RefreshStatus;
    sources_key: string;
    scope_wallet_ids: string[] | null;
    scope_chains: string[] | null;
    started_at: CreatedAt;
    deadline_at: Date;
    finished_at: Date | null;
    runner_id: string | null;
    lease_until: Date | null;
  };
  refresh_sources: {
    tenant_id: string;
    refresh_id: string;
    ordinal: number;
    wallet_id: string;
    chain: string;
    kind: SourceKind;
    status: RefreshSource['status'];
    error_code: ErrorCode | null;
    error_provider: string | null;
  };
  snapshots: SnapshotColumns & { at: Date; taken_at: Generated<Date> };
  snapshot_hours: SnapshotColumns & { bucket: Date; at: Date };
  snapshot_days: SnapshotColumns & { bucket: Date; at: Date };
  asset_hours: AssetBucket;
  asset_days: AssetBucket;
  holding_series: {
    tenant_id: string;
    wallet_id: string;
    asset_id: string;
    position: Position;
    chain: string;
    amount_raw: Exact;
  };
  holding_points: {
    tenant_id: string;
    wallet_id: string;
    asset_id: string;
    position: Position;
    at: Date;
    amount_raw: Exact;
    block_number: Exact | null;
    block_hash: string | null;
  };
  backfills: {
    tenant_id: string;
    wallet_id: string;
    status: Backfill['status'];
    from_day: Date;
    through_day: Date | null;
    next_day: Date | null;
    days_total: number;
    days_done: Generated<number>;
    unpriced_count: Generated<number>;
    price_error_code: ErrorCode | null;
    attempts: Generated<number>;
    started_at: CreatedAt;
    finished_at: Date | null;
    not_before: Date | null;
    runner_id: string | null;
    lease_until: Date | null;
  };
  removed_wallets: { tenant_id: string; family: ChainFamily; address: string; wallet_id: string };
  healing_attempts: { tenant_id: string; at: Date; chain: string; attempted_at: Date };
  backfill_chains: {
    tenant_id: string;
    wallet_id: string;
    chain: string;
    ordinal: number;
    known_from: Date | null;
    status: BackfillChain['status'];
    reached_day: Date | null;
    error_code: ErrorCode | null;
    error_provider: string | null;
  };
  exclusion_points: { tenant_id: string; asset_id: string; at: Date; is_excluded: boolean };
  price_points: { asset_id: string; at: Date; value: Exact; source: string };
  fx_points: { currency: string; at: Date; per_usd: Exact; source: string };
  history_thinning: { tenant_id: string; bucket: 'hour' | 'day'; through: Date };
  ledger_entries: {
    tenant_id: string;
    id: Generated<string>;
    wallet_id: string;
    chain: string;
    asset_id: string;
    occurred_at: Date;
    kind: LedgerKind;
    amount_raw: Exact;
    counterparty: string | null;
    tx_hash: string | null;
    block_number: Exact | null;
    origin: LedgerOrigin;
    reference: string;
    price: Exact | null;
    price_currency: string | null;
    note: string | null;
    created_at: CreatedAt;
    version: Generated<number>;
  };
  transfer_imports: {
    tenant_id: string;
    wallet_id: string;
    chain: string;
    from_block: Exact;
    through_block: Exact | null;
    cursor: string | null;
    has_native: boolean | null;
    attempted_at: Date | null;
    caught_up_at: Date | null;
    outcome: 'ok' | 'failed' | 'unsupported' | null;
    error_code: ErrorCode | null;
    error_provider: string | null;
    past_from_block: Exact | null;
    past_through_block: Exact | null;
    past_cursor: string | null;
    past_attempted_at: Date | null;
    claim_id: string | null;
    claimed_until: Date | null;
    created_at: CreatedAt;
  };
};

type SnapshotColumns = {
  tenant_id: string;
  grade: SnapshotGrade;
  missing: JSONColumnType<StoredMissing[]>;
  healed_at: Date | null;
};
type AssetBucket = { tenant_id: string; bucket: Date; asset_id: string; amount_raw: Exact; price: Exact | null };

/** A missing source as JSON has it: times are text. */
export type StoredMissing = Omit<MissingSource, 'observedAt'> & { readonly observedAt: string | null };
