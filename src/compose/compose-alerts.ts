import { parseEvmAddress } from '../adapters/evm/evm-address.ts';
import { parseSolanaAddress } from '../adapters/solana/solana-address.ts';
import { chains } from '../domain/chains.ts';
import { type AlertEvaluation, createAlertEvaluation } from '../services/alerts/alert-evaluation.ts';
import { type AlertService, createAlertService } from '../services/alerts/alert-service.ts';
import type { AssetService } from '../services/asset-service.ts';
import type { PortfolioService } from '../services/portfolio-service.ts';
import type { Storage } from './compose-storage.ts';

export type AlertServices = { readonly alerts: AlertService; readonly alertEvaluation: AlertEvaluation };

type AlertDeps = {
  readonly storage: Pick<Storage, 'alerts' | 'wallets' | 'assets' | 'feed'>;
  readonly portfolio: PortfolioService;
  readonly assets: AssetService;
  readonly now: () => Date;
};

/** Makes what looks after the alerts of tenants. */
export function composeAlerts({ storage, portfolio, assets, now }: AlertDeps): AlertServices {
  const { alerts, wallets, feed } = storage;
  const parseAddress = { evm: parseEvmAddress, solana: parseSolanaAddress };
  return {
    alerts: createAlertService({ alerts, wallets, assets: storage.assets, chains, parseAddress }),
    alertEvaluation: createAlertEvaluation({
      alerts,
      portfolio,
      assets,
      assetsById: (ids) => storage.assets.getMany(ids),
      chains,
      currentVersion: (tenantId) => feed.currentVersion(tenantId),
      now,
    }),
  };
}
