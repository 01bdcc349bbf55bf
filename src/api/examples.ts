import type { AssetWire } from './schemas/assets.ts';
import type { BalancesWire, BalanceWire, PortfolioWire, SourceWire } from './schemas/portfolio.ts';
import type { RefreshWire } from './schemas/refreshes.ts';
import type { ChainWire, HealthWire } from './schemas/system.ts';
import type { WalletWire } from './schemas/wallets.ts';

/** What requests and answers look like in the docs. One small, coherent portfolio: half an ether, and a token without a price. */
const MOMENT = '2026-11-21T12:00:00.000Z';
const WALLET_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a60';
const ETHER_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a61';
const TOKEN_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a62';
const REFRESH_ID = '0198b6f0-5d5c-7e52-9a5f-3f1d2c4b5a63';
const ADDRESS = '0xd8dA6BF26964aF9D7eEd9e03E53415D37aA96045';
const TOKEN_ADDRESS = '0x6B175474E89094C44Da98b954EedeAC495271d0F';
const BLOCK = { number: 23_850_112, hash: `0x${'3f'.repeat(32)}` };

export const newWalletExample = { address: 'vitalik.eth', chain: ['ethereum', 'base'], label: 'Cold wallet' };

export const walletExample: WalletWire = {
  id: WALLET_ID,
  address: ADDRESS,
  family: 'evm',
  chain: 'ethereum',
  chains: ['ethereum', 'base'],
  name: 'vitalik.eth',
  label: 'Cold wallet',
  created_at: MOMENT,
  updated_at: MOMENT,
};

export const walletPageExample = { wallets: [walletExample], next_cursor: null };

export const bulkExample = {
  results: [
    { index: 0, status: 201, wallet: walletExample, error: null },
    {
      index: 1,
      status: 400,
      wallet: null,
      error: {
        type: '/docs/errors/invalid_address',
        title: 'This is not an address',
        status: 400,
        detail: 'This is neither an EVM address nor a Solana address.',
        instance: '/api/v1/wallets/bulk',
        code: 'invalid_address',
        request_id: '7b0c2d9e-6a55-4c2e-9f0a-2b1e4d3c5f6a',
        errors: [],
      },
    },
  ],
  created: 1,
  existing: 0,
  failed: 1,
};

export const runningRefreshExample: RefreshWire = {
  id: REFRESH_ID,
  status: 'running',
  scope: { wallet_ids: [WALLET_ID], chains: null },
  started_at: MOMENT,
  finished_at: null,
  progress: { done: 1, total: 2 },
  sources: [
    { wallet_id: WALLET_ID, chain: 'ethereum', kind: 'balances', status: 'ok', error: null },
    { wallet_id: WALLET_ID, chain: 'base', kind: 'balances', status: 'pending', error: null },
  ],
};

export const finishedRefreshExample: RefreshWire = {
  ...runningRefreshExample,
  status: 'finished',
  finished_at: '2026-11-21T12:00:01.250Z',
  progress: { done: 2, total: 2 },
  sources: [
    { wallet_id: WALLET_ID, chain: 'ethereum', kind: 'balances', status: 'ok', error: null },
    {
      wallet_id: WALLET_ID,
      chain: 'base',
      kind: 'balances',
      status: 'failed',
      error: { code: 'upstream_timeout', provider: 'mainnet.base.org' },
    },
  ],
};

const etherIdentity = {
  chain: 'ethereum',
  token_symbol: 'ETH',
  token_name: 'Ether',
  token_address: null,
  asset_id: 'eip155:1/slip44:60',
};
const tokenIdentity = {
  chain: 'ethereum',
  token_symbol: 'DAI',
  token_name: 'Dai Stablecoin',
  token_address: TOKEN_ADDRESS,
  asset_id: `eip155:1/erc20:${TOKEN_ADDRESS}`,
};
const honest = { is_spam: false, reasons: [], decided_by: 'rules' } satisfies AssetWire['spam'];

const etherBalance: BalanceWire = {
  wallet_id: WALLET_ID,
  ...etherIdentity,
  asset_uuid: ETHER_ID,
  position: 'wallet',
  decimals: 18,
  balance_raw: '500000000000000000',
  balance: '0.5',
  frozen_raw: '0',
  ui: null,
  price: { value: '2800.5', currency: 'USD', status: 'ok', source: 'defillama', quoted_at: MOMENT, reason: null },
  usd_value: '1400.25',
  value: '1400.25',
  value_reason: null,
  status: 'ok',
  last_updated: MOMENT,
  age_seconds: 12,
  block: BLOCK,
  flags: [],
  spam: honest,
  error: null,
};

const tokenBalance: BalanceWire = {
  ...etherBalance,
  ...tokenIdentity,
  asset_uuid: TOKEN_ID,
  balance_raw: '25000000000000000000',
  balance: '25',
  price: { value: null, currency: 'USD', status: 'missing', source: null, quoted_at: null, reason: 'not_quoted' },
  usd_value: null,
  value: null,
  value_reason: 'price_missing',
};

const sources: SourceWire[] = [
  {
    wallet_id: WALLET_ID,
    chain: 'ethereum',
    kind: 'balances',
    status: 'ok',
    observed_at: MOMENT,
    age_seconds: 12,
    block: BLOCK,
    last_attempt_at: MOMENT,
    error: null,
    failed_assets: [],
  },
];

export const balancesExample: BalancesWire = {
  wallet_id: WALLET_ID,
  currency: 'USD',
  generated_at: '2026-11-21T12:00:12.000Z',
  complete: false,
  incomplete_reasons: ['unpriced'],
  balances: [etherBalance, tokenBalance],
  sources,
};

const etherFigures = { usd_value: '1400.25', value: '1400.25', share: '1', unpriced_count: 0, complete: true };
const allFigures = { ...etherFigures, unpriced_count: 1, complete: false };

export const portfolioExample: PortfolioWire = {
  currency: 'USD',
  fx: { currency: 'USD', rate: '1', source: null, quoted_at: null, status: 'ok' },
  generated_at: '2026-11-21T12:00:12.000Z',
  as_of: MOMENT,
  total_value: '1400.25',
  total_usd_value: '1400.25',
  complete: false,
  incomplete_reasons: ['unpriced'],
  unpriced_count: 1,
  quarantined_count: 0,
  spam_count: 0,
  stale_value_share: '0',
  mixed_block_chains: [],
  by_asset: [
    {
      ...etherIdentity,
      asset_uuid: ETHER_ID,
      balance_raw: '500000000000000000',
      balance: '0.5',
      price: etherBalance.price,
      spam: honest,
      ...etherFigures,
      balances: [etherBalance],
    },
    {
      ...tokenIdentity,
      asset_uuid: TOKEN_ID,
      balance_raw: '25000000000000000000',
      balance: '25',
      price: tokenBalance.price,
      spam: honest,
      usd_value: null,
      value: null,
      share: null,
      unpriced_count: 1,
      complete: false,
      balances: [tokenBalance],
    },
  ],
  by_chain: [{ chain: 'ethereum', ...allFigures }],
  by_wallet: [{ wallet_id: WALLET_ID, ...allFigures }],
  sources,
};

export const newAssetExample = { chain: 'ethereum', address: TOKEN_ADDRESS };

export const assetExample: AssetWire = {
  id: TOKEN_ID,
  ...tokenIdentity,
  decimals: 18,
  standard: 'erc20',
  listed: true,
  tracked: true,
  flags: [],
  spam: honest,
  price: { value: '0.25', currency: 'USD', status: 'manual', source: null, quoted_at: MOMENT, reason: null },
  manual_price: { value: '0.25', set_at: MOMENT },
};

export const assetPageExample = { assets: [assetExample], next_cursor: null };

const chainExample: ChainWire = {
  slug: 'ethereum',
  name: 'Ethereum',
  family: 'evm',
  caip2: 'eip155:1',
  native_asset: { asset_id: 'eip155:1/slip44:60', symbol: 'ETH', name: 'Ether', decimals: 18 },
  enabled: true,
  endpoints: ['ethereum-rpc.publicnode.com', 'eth.drpc.org'],
};

export const chainsExample = { chains: [chainExample] };

const databasePart: HealthWire['parts'][number] = {
  name: 'database',
  status: 'ok',
  checked_at: MOMENT,
  error: null,
  block: null,
  in_use: true,
};

export const healthExample: HealthWire = {
  status: 'degraded',
  version: '0.1.0',
  started_at: MOMENT,
  parts: [
    databasePart,
    { ...databasePart, name: 'cache' },
    { ...databasePart, name: 'schedule:prices' },
    { name: 'chain:ethereum', status: 'ok', checked_at: MOMENT, error: null, block: 23_850_112, in_use: true },
    {
      name: 'chain:solana',
      status: 'down',
      checked_at: MOMENT,
      error: { code: 'upstream_unreachable', provider: 'api.mainnet-beta.solana.com' },
      block: null,
      in_use: true,
    },
  ],
};

export const downExample: HealthWire = {
  ...healthExample,
  status: 'down',
  parts: [{ ...databasePart, status: 'down', error: { code: 'database_unavailable', provider: null } }],
};

export const metricsExample = `# HELP service_ready 1 while requests should be sent here.
# TYPE service_ready gauge
service_ready 1
`;
