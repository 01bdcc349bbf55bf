import type { AlertStore, Evaluation } from '../../db/alerts/alert-store.ts';
import { type Alert, judgeAlert, type Measure } from '../../domain/alerts/alert.ts';
import { type Asset, caip19 } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { formatDecimal } from '../../domain/decimal.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import type { NewEvent } from '../../domain/events/event.ts';
import { type AlertMeasureDeps, createAlertMeasures } from './alert-measures.ts';

/** Looks whether alerts are set off, or over. */
export type AlertEvaluation = {
  /** Looks at the alerts of whomever something has changed for since the last look, or to whom time alone may have made a difference. Each crossing is told once, whoever looks. */
  evaluateDue(signal: AbortSignal): Promise<void>;
};

type AlertEvaluationDeps = AlertMeasureDeps & {
  readonly alerts: Pick<AlertStore, 'list' | 'listDue' | 'saveAll'>;
  readonly assetsById: (ids: readonly string[]) => Promise<readonly Asset[]>;
  readonly chains: readonly Chain[];
  /** The data that the portfolio is read from, or older ones: then there is another look. */
  readonly currentVersion: (tenantId: string) => Promise<{ readonly key: string }>;
  readonly now: () => Date;
};

/** Figures grow old, and prices stale, without anything being written. */
const MAX_AGE_SECONDS = 30;
/** Tenants of one run; those that are left come next, seconds later. */
const MAX_AT_ONCE = 1_000;

export function createAlertEvaluation(deps: AlertEvaluationDeps): AlertEvaluation {
  return {
    async evaluateDue(signal) {
      const faults: unknown[] = [];
      for (const tenantId of await deps.alerts.listDue({ maxAgeSeconds: MAX_AGE_SECONDS, limit: MAX_AT_ONCE })) {
        if (signal.aborted) break;
        // What is wrong with one tenant keeps no other waiting.
        await evaluateTenant(deps, tenantId).catch((error: unknown) => void faults.push(error));
      }
      if (faults.length > 0) throw toAppError(faults[0]);
    },
  };
}

async function evaluateTenant(deps: AlertEvaluationDeps, tenantId: string): Promise<void> {
  // Before the data, which can therefore only be newer.
  const version = await deps.currentVersion(tenantId);
  const alerts = (await deps.alerts.list(tenantId)).filter(({ isEnabled }) => isEnabled);
  const assets = await deps.assetsById(alerts.flatMap(({ assetId }) => assetId ?? []));
  const byId = new Map(assets.map((asset) => [asset.id, asset]));
  const measure = createAlertMeasures(deps, tenantId);
  const evaluations: Evaluation[] = [];
  for (const alert of alerts) {
    const measured = await measure(alert).catch(leaveIfGone);
    if (measured !== undefined) evaluations.push(evaluate(deps, { alert, asset: byId.get(alert.assetId ?? ''), measured }));
  }
  if (evaluations.length > 0) await deps.alerts.saveAll(tenantId, evaluations, version.key);
}

/** The wallet was removed in this very moment, and its alerts with it. */
function leaveIfGone(error: unknown): undefined {
  if (error instanceof AppError && (error.code === 'wallet_not_found' || error.code === 'asset_not_found')) return undefined;
  throw error;
}

type Measured = { readonly alert: Alert; readonly asset: Asset | undefined; readonly measured: Measure };

function evaluate({ chains, now }: AlertEvaluationDeps, { alert, asset, measured }: Measured): Evaluation {
  const change = judgeAlert(alert, alert.state, measured, now());
  if (change === null) return { alert, ...measured, change };
  const chain = chains.find(({ slug }) => slug === asset?.chain);
  const assetId = asset === undefined || chain === undefined ? null : caip19(chain, asset.address);
  const event: NewEvent = {
    type: `alert.${change}`,
    data: {
      alert_id: alert.id,
      name: alert.name,
      kind: alert.kind,
      wallet_id: alert.walletId,
      asset_id: assetId,
      currency: alert.currency,
      direction: alert.direction,
      threshold: formatDecimal(alert.threshold),
      value: measured.value === null ? null : formatDecimal(measured.value),
    },
  };
  return { alert, ...measured, change: { isTriggered: change === 'triggered', event } };
}
