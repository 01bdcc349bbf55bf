import { caip19 } from '../../domain/asset.ts';
import { formatDecimal } from '../../domain/decimal.ts';
import type { AlertView } from '../../services/alerts/alert-service.ts';
import type { AlertWire } from '../schemas/alerts.ts';
import type { ChainsBySlug } from './asset.ts';

export function presentAlert({ alert, asset }: AlertView, chains: ChainsBySlug): AlertWire {
  const { state } = alert;
  const chain = asset === null ? undefined : chains.get(asset.chain);
  return {
    id: alert.id,
    name: alert.name,
    kind: alert.kind,
    wallet_id: alert.walletId,
    asset_id: asset === null || chain === undefined ? alert.assetId : caip19(chain, asset.address),
    currency: alert.currency,
    direction: alert.direction,
    threshold: formatDecimal(alert.threshold),
    hysteresis: formatDecimal(alert.hysteresis),
    cooldown_seconds: alert.cooldownSeconds,
    enabled: alert.isEnabled,
    state: {
      status: state.isTriggered ? 'triggered' : state.evaluatedAt === null ? 'pending' : 'ok',
      value: state.value === null ? null : formatDecimal(state.value),
      unknown_reasons: [...state.unknownReasons],
      evaluated_at: state.evaluatedAt?.toISOString() ?? null,
      triggered_at: state.triggeredAt?.toISOString() ?? null,
      resolved_at: state.resolvedAt?.toISOString() ?? null,
    },
    created_at: alert.createdAt.toISOString(),
    updated_at: alert.updatedAt.toISOString(),
  };
}
