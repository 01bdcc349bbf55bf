import type { AlertPatch, AlertStore } from '../../db/alerts/alert-store.ts';
import type { WalletStore } from '../../db/wallet-store.ts';
import type { Alert, AlertRule } from '../../domain/alerts/alert.ts';
import type { Asset } from '../../domain/asset.ts';
import { AppError } from '../../domain/errors.ts';
import type { IfVersion } from '../../domain/version.ts';
import { type FindAssetDeps, findAsset } from '../find-asset.ts';

export type { AlertPatch };

/** With the asset that it is about, where it is about one. */
export type AlertView = { readonly alert: Alert; readonly asset: Asset | null };

/** What a tenant wants to be told of. */
export type AlertService = {
  /** `assetId` is a UUID or a CAIP-19 id. Throws wallet_not_found, asset_not_found, quota_exceeded. */
  add(tenantId: string, rule: AlertRule): Promise<AlertView>;
  list(tenantId: string): Promise<readonly AlertView[]>;
  /** These throw alert_not_found, those that change it precondition_failed when it has another version. */
  get(tenantId: string, id: string): Promise<AlertView>;
  update(tenantId: string, id: string, patch: AlertPatch): Promise<AlertView>;
  delete(tenantId: string, id: string, ifVersion: IfVersion): Promise<void>;
};

type AlertServiceDeps = FindAssetDeps & {
  readonly alerts: AlertStore;
  readonly wallets: Pick<WalletStore, 'get'>;
  readonly assets: { getMany(ids: readonly string[]): Promise<readonly Asset[]> };
};

/** Of one tenant. */
const MAX_ALERTS = 100;

export function createAlertService(deps: AlertServiceDeps): AlertService {
  const { alerts } = deps;
  const viewAll = async (found: readonly Alert[]): Promise<readonly AlertView[]> => {
    const assets = await deps.assets.getMany([...new Set(found.flatMap(({ assetId }) => assetId ?? []))]);
    const byId = new Map(assets.map((asset) => [asset.id, asset]));
    return found.map((alert) => ({ alert, asset: byId.get(alert.assetId ?? '') ?? null }));
  };
  const viewOne = async (alert: Alert | undefined): Promise<AlertView> => {
    const [view] = alert === undefined ? [] : await viewAll([alert]);
    if (view === undefined) throw new AppError('alert_not_found', 'There is no alert of this id.');
    return view;
  };
  return {
    async add(tenantId, rule) {
      const { walletId, assetId } = rule;
      if (walletId !== null && (await deps.wallets.get(tenantId, walletId)) === undefined)
        throw new AppError('wallet_not_found', 'There is no wallet of this id.');
      const asset = assetId === null ? null : await findAsset(deps, assetId);
      const alert = await alerts.add(tenantId, { ...rule, assetId: asset?.id ?? null }, MAX_ALERTS);
      if (alert === undefined) throw new AppError('quota_exceeded', `There can be ${MAX_ALERTS} alerts at the most.`);
      return { alert, asset };
    },
    list: async (tenantId) => viewAll(await alerts.list(tenantId)),
    get: async (tenantId, id) => viewOne(await alerts.get(tenantId, id)),
    update: async (tenantId, id, patch) => viewOne(await alerts.update(tenantId, id, patch)),
    async delete(tenantId, id, ifVersion) {
      if (!(await alerts.delete(tenantId, id, ifVersion))) await viewOne(undefined);
    },
  };
}
