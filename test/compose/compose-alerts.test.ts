import { expect, it, vi } from 'vitest';
import { composeAlerts } from '../../src/compose/compose-alerts.ts';
import { Decimal } from '../../src/domain/decimal.ts';
import { buildPortfolio } from '../../src/domain/portfolio-builder.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../src/domain/tenant.ts';
import { NOW, USD } from '../support/builders.ts';

const NEVER = new AbortController().signal;
const PORTFOLIO = buildPortfolio({
  holdings: [],
  sources: [],
  currency: 'USD',
  fx: USD,
  minValue: null,
  includeSpam: false,
  now: NOW,
});
const ALERT = {
  id: 'a',
  kind: 'value',
  walletId: null,
  assetId: null,
  currency: 'USD',
  direction: 'above',
  threshold: new Decimal(1),
  hysteresis: new Decimal(0),
  cooldownSeconds: 0,
  isEnabled: true,
  state: { isTriggered: false, triggeredAt: null },
};

it('counts alerts as looked at by the data that were looked at, which may be older than what is committed', async () => {
  const saveAll = vi.fn(async () => []);
  const { alertEvaluation } = composeAlerts({
    storage: {
      alerts: { listDue: async () => [TENANT], list: async () => [ALERT], saveAll },
      wallets: {},
      assets: { getMany: async () => [] },
      // Portfolios are shared by what this process has heard of.
      feed: { currentVersion: async () => ({ key: '1.1' }), askVersion: async () => ({ key: '2.1' }) },
    },
    portfolio: { getPortfolio: async () => PORTFOLIO },
    assets: {},
    now: () => NOW,
  } as unknown as Parameters<typeof composeAlerts>[0]);
  await alertEvaluation.evaluateDue(NEVER);
  expect(saveAll).toHaveBeenCalledExactlyOnceWith(TENANT, expect.any(Array), '1.1');
});
