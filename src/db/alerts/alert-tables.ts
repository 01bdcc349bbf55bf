import type { ColumnType, Generated } from 'kysely';
import type { AlertDirection, AlertKind, AlertUnknownReason } from '../../domain/alerts/alert.ts';

export type AlertTables = {
  alerts: {
    tenant_id: string;
    id: Generated<string>;
    name: string | null;
    kind: AlertKind;
    wallet_id: string | null;
    asset_id: string | null;
    currency: string | null;
    direction: AlertDirection;
    threshold: string;
    hysteresis: string;
    cooldown_seconds: number;
    enabled: Generated<boolean>;
    is_triggered: Generated<boolean>;
    value: string | null;
    unknown_reasons: Generated<AlertUnknownReason[]>;
    evaluated_at: Date | null;
    seen_version: string | null;
    triggered_at: Date | null;
    resolved_at: Date | null;
    revision: Generated<number>;
    version: Generated<number>;
    created_at: ColumnType<Date, never, never>;
    updated_at: Generated<Date>;
  };
};
