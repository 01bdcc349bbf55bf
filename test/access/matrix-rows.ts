import type { Scope } from '../../src/domain/access.ts';
import { EVENT_TYPES } from '../../src/domain/events/event.ts';
import { nextAddress } from '../support/store-fixtures.ts';
import type { Method, Sent, World } from './matrix-world.ts';

/** What is expected of one operation. */
export type Row = {
  readonly method: Method;
  /** The scopes that open it, each alone. */
  readonly scopes: readonly Scope[];
  /** What it answers to a key that may. */
  readonly ok: number;
  /** A request that goes well, about something made for it alone. */
  readonly send: (world: World) => Sent | Promise<Sent>;
  /**
   * What another tenant's admin gets for the very same request: `hidden` is a 404 equal to that for something that never was, `own` an answer about
   * what is theirs, `empty` a 404 since they have nothing of the kind, `shared` one about what all share, `refused` a 403: it is the owner's of the service alone.
   */
  readonly others: 'hidden' | 'own' | 'empty' | 'shared' | 'refused';
};

const ANY: readonly Scope[] = ['read:percent', 'read:values', 'write', 'admin'];
const PERCENT: readonly Scope[] = ['read:percent', 'read:values', 'admin'];
const VALUES: readonly Scope[] = ['read:values', 'admin'];
const WRITE: readonly Scope[] = ['write', 'admin'];
const ADMIN: readonly Scope[] = ['admin'];

type Place = string | ((world: World) => Promise<string>);

const at =
  (place: Place, body?: object | string, type?: string) =>
  async (world: World): Promise<Sent> => ({
    path: typeof place === 'string' ? place : await place(world),
    ...(body === undefined ? {} : { body }),
    ...(type === undefined ? {} : { type }),
  });
const read = (place: Place, scopes: readonly Scope[], others: Row['others']): Row => ({
  method: 'get',
  scopes,
  ok: 200,
  send: at(place),
  others,
});

const wallet =
  (below = '') =>
  async (world: World): Promise<string> =>
    `/wallets/${(await world.make('/wallets', { address: nextAddress(), chain: 'ethereum' })).id}${below}`;
const refresh = async (world: World): Promise<string> => `/refreshes/${(await world.make('/portfolio/refresh')).id}`;
const key =
  (below = '') =>
  async (world: World): Promise<string> =>
    `/keys/${(await world.make('/keys', { name: 'one', scopes: ['write'] })).id}${below}`;
const ALERT = { kind: 'value', currency: 'USD', direction: 'above', threshold: '5' };
const alert = async (world: World): Promise<string> => `/alerts/${(await world.make('/alerts', ALERT)).id}`;
const asset =
  (below = '') =>
  async (world: World): Promise<string> =>
    `/assets/${(await world.make('/assets', { chain: 'ethereum', address: world.token })).id}${below}`;

const entryOf = (walletPath: string) => ({
  wallet_id: walletPath.split('/')[2],
  chain: 'ethereum',
  type: 'deposit',
  amount: '1.5',
  occurred_at: '2026-11-01T12:00:00Z',
});
const entries = async (world: World): Promise<object> => ({ transactions: [entryOf(await wallet()(world))] });
const transaction = async (world: World): Promise<string> =>
  `/transactions/${(await world.make('/transactions', await entries(world))).transactions[0].id}`;
const csvOf = (walletPath: string): string =>
  `wallet_id,chain,type,amount,occurred_at\n${walletPath.split('/')[2]},ethereum,deposit,2,2026-11-02 10:00:00\n`;

const HOOK = { url: 'http://127.0.0.1:9/hook', event_types: [EVENT_TYPES[0]] };
/** The only one, since a tenant has few. */
const webhook =
  (below = '') =>
  async (world: World): Promise<string> => {
    const admin = world.keys.get('admin') ?? null;
    const { text } = await world.call('get', { path: '/webhooks' }, admin);
    for (const { id } of JSON.parse(text).webhooks) await world.call('delete', { path: `/webhooks/${id}` }, admin);
    return `/webhooks/${(await world.make('/webhooks', HOOK)).id}${below}`;
  };
const delivery = async (world: World): Promise<string> => {
  const path = await webhook()(world);
  return `${path}/deliveries/${(await world.make(`${path}/test`)).id}/replay`;
};
const endpoint = async (world: World): Promise<string> => {
  const body = { chain: 'ethereum', url: `${world.stack.ethereum.rpcUrl}/?n=${nextAddress()}` };
  return `/rpc-endpoints/${(await world.make('/rpc-endpoints', body)).id}`;
};

/** Every operation there is, by its id. */
export const ROWS: Readonly<Record<string, Row>> = {
  addWallet: {
    method: 'post',
    scopes: WRITE,
    ok: 201,
    send: () => ({ path: '/wallets', body: { address: nextAddress(), chain: 'ethereum' } }),
    others: 'own',
  },
  addWallets: {
    method: 'post',
    scopes: WRITE,
    ok: 200,
    send: () => ({ path: '/wallets/bulk', body: { wallets: [{ address: nextAddress(), chain: 'ethereum' }] } }),
    others: 'own',
  },
  listWallets: read('/wallets', VALUES, 'own'),
  getWallet: read(wallet(), VALUES, 'hidden'),
  labelWallet: { method: 'patch', scopes: WRITE, ok: 200, send: at(wallet(), { label: 'Mine' }), others: 'hidden' },
  deleteWallet: { method: 'delete', scopes: WRITE, ok: 204, send: at(wallet()), others: 'hidden' },
  fetchWallet: { method: 'post', scopes: WRITE, ok: 200, send: at(wallet('/fetch')), others: 'hidden' },
  getBalances: read(wallet('/balances'), VALUES, 'hidden'),
  startBackfill: {
    method: 'post',
    scopes: WRITE,
    ok: 202,
    send: at(wallet('/backfill'), { from: '2026-11-01' }),
    others: 'hidden',
  },
  getBackfill: read(
    async (world) => {
      const path = await wallet('/backfill')(world);
      await world.make(path, { from: '2026-11-01' });
      return path;
    },
    VALUES,
    'hidden',
  ),
  cancelBackfill: {
    method: 'delete',
    scopes: WRITE,
    ok: 200,
    send: at(async (world) => {
      const path = await wallet('/backfill')(world);
      await world.make(path, { from: '2026-11-01' });
      return path;
    }),
    others: 'hidden',
  },
  refreshPortfolio: { method: 'post', scopes: WRITE, ok: 200, send: at('/portfolio/refresh'), others: 'own' },
  getRefresh: read(refresh, VALUES, 'hidden'),
  getPortfolio: read('/portfolio', PERCENT, 'own'),
  getHistory: read('/portfolio/history', PERCENT, 'own'),
  getPerformance: read('/portfolio/performance', PERCENT, 'own'),
  getChanges: read('/portfolio/changes?from=2026-11-20', VALUES, 'empty'),
  getStatement: read('/statements?date=2026-11-20', VALUES, 'empty'),
  listTransactions: read('/transactions', VALUES, 'own'),
  getTransaction: read(transaction, VALUES, 'hidden'),
  addTransactions: {
    method: 'post',
    scopes: WRITE,
    ok: 201,
    send: async (world) => ({ path: '/transactions', body: await entries(world) }),
    others: 'hidden',
  },
  importTransactions: {
    method: 'post',
    scopes: WRITE,
    ok: 201,
    send: async (world) => ({ path: '/transactions/import', body: csvOf(await wallet()(world)), type: 'text/csv' }),
    others: 'hidden',
  },
  updateTransaction: { method: 'patch', scopes: WRITE, ok: 200, send: at(transaction, { note: 'mine' }), others: 'hidden' },
  deleteTransaction: { method: 'delete', scopes: WRITE, ok: 204, send: at(transaction), others: 'hidden' },
  listAssets: read('/assets', VALUES, 'own'),
  getAsset: read(asset(), VALUES, 'shared'),
  addAsset: {
    method: 'post',
    scopes: WRITE,
    ok: 200,
    send: (world) => ({ path: '/assets', body: { chain: 'ethereum', address: world.token } }),
    others: 'shared',
  },
  updateAsset: { method: 'patch', scopes: WRITE, ok: 200, send: at(asset(), { manual_price: null }), others: 'shared' },
  untrackAsset: { method: 'delete', scopes: WRITE, ok: 204, send: at(asset()), others: 'shared' },
  // No price of it is held back.
  acceptPrice: { method: 'post', scopes: WRITE, ok: 409, send: at(asset('/accept-price'), { value: '1' }), others: 'shared' },
  addAlert: { method: 'post', scopes: WRITE, ok: 201, send: at('/alerts', ALERT), others: 'own' },
  listAlerts: read('/alerts', VALUES, 'own'),
  getAlert: read(alert, VALUES, 'hidden'),
  updateAlert: { method: 'patch', scopes: WRITE, ok: 200, send: at(alert, { threshold: '6' }), others: 'hidden' },
  deleteAlert: { method: 'delete', scopes: WRITE, ok: 204, send: at(alert), others: 'hidden' },
  addWebhook: { method: 'post', scopes: ADMIN, ok: 201, send: at('/webhooks', HOOK), others: 'own' },
  listWebhooks: read('/webhooks', ADMIN, 'own'),
  getWebhook: read(webhook(), ADMIN, 'hidden'),
  updateWebhook: { method: 'patch', scopes: ADMIN, ok: 200, send: at(webhook(), { enabled: false }), others: 'hidden' },
  deleteWebhook: { method: 'delete', scopes: ADMIN, ok: 204, send: at(webhook()), others: 'hidden' },
  rotateWebhookSecret: { method: 'post', scopes: ADMIN, ok: 200, send: at(webhook('/rotate')), others: 'hidden' },
  testWebhook: { method: 'post', scopes: ADMIN, ok: 202, send: at(webhook('/test')), others: 'hidden' },
  listDeliveries: read(webhook('/deliveries'), ADMIN, 'hidden'),
  replayDelivery: { method: 'post', scopes: ADMIN, ok: 202, send: at(delivery), others: 'hidden' },
  streamEvents: read('/events', VALUES, 'own'),
  createKey: { method: 'post', scopes: ADMIN, ok: 201, send: at('/keys', { name: 'one', scopes: ['write'] }), others: 'own' },
  listKeys: read('/keys', ADMIN, 'own'),
  getKey: read(key(), ADMIN, 'hidden'),
  rotateKey: { method: 'post', scopes: ADMIN, ok: 201, send: at(key('/rotate')), others: 'hidden' },
  revokeKey: { method: 'delete', scopes: ADMIN, ok: 204, send: at(key()), others: 'hidden' },
  listRpcEndpoints: read('/rpc-endpoints', ADMIN, 'refused'),
  addRpcEndpoint: {
    method: 'post',
    scopes: ADMIN,
    ok: 201,
    send: ({ stack }) => ({
      path: '/rpc-endpoints',
      body: { chain: 'ethereum', url: `${stack.ethereum.rpcUrl}/?n=${nextAddress()}` },
    }),
    others: 'refused',
  },
  removeRpcEndpoint: { method: 'delete', scopes: ADMIN, ok: 204, send: at(endpoint), others: 'refused' },
  listProviders: read('/providers', ANY, 'shared'),
  listChains: read('/chains', ANY, 'shared'),
  getHealth: read('/health', ANY, 'shared'),
  getMetrics: read('/metrics', ADMIN, 'refused'),
};
