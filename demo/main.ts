import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { compose } from '../src/compose.ts';
import { loadConfig } from '../src/config.ts';
import { StartupError } from '../src/lib/startup-error.ts';
import { onStopSignal } from '../src/lib/stop-signal.ts';
import { type ApiClient, createApiClient } from './api-client.ts';
import { changeWorld, type DemoWorld } from './changes.ts';
import { ALICE, BOB, startEvm } from './ethereum.ts';
import { beginningOf, livePast } from './past.ts';
import { startPrices } from './prices.ts';
import { formatHistory, formatPortfolio } from './report.ts';
import { startSolana } from './solana.ts';

/**
 * `npm run demo`: the whole service against local chains and local prices, without any network. Wallets are added through the public API; what they hold
 * goes on changing until the demo is stopped. HOST, PORT and LOG_LEVEL are taken from the environment.
 */
const STEP_MS = 15_000;
const POLL_MS = 200;
const closers: (() => Promise<unknown>)[] = [];

async function startWorld(): Promise<DemoWorld> {
  const now = new Date();
  const [evm, solana] = await Promise.all([startEvm(beginningOf(now)), startSolana()]);
  closers.push(() => Promise.all([evm.ethereum.stop(), evm.base.stop(), solana.node.stop()]));
  await livePast(evm, now);
  const prices = await startPrices({ farm: evm.unlisted.farm, mints: solana.mints, now });
  closers.push(() => prices.close());
  return { evm, solana, prices };
}

/** The service's own settings, with every address pointed at this machine. */
async function startService({ evm, solana, prices }: DemoWorld): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'chainfolio-demo-'));
  closers.push(() => rm(dataDir, { recursive: true, force: true }));
  const { HOST, PORT, LOG_LEVEL = 'error' } = process.env;
  const nowhere = 'http://127.0.0.1:9';
  const others = ['ARBITRUM', 'OPTIMISM', 'POLYGON', 'BSC', 'AVALANCHE', 'GNOSIS', 'LINEA', 'SCROLL'];
  const config = loadConfig({
    HOST,
    PORT,
    // All of it is made up, so whoever comes may see it.
    API_KEYS_REQUIRED: 'false',
    LOG_LEVEL,
    DATA_DIR: dataDir,
    ETHEREUM_RPC_URLS: evm.ethereum.rpcUrl,
    BASE_RPC_URLS: evm.base.rpcUrl,
    SOLANA_RPC_URLS: solana.node.rpcUrl,
    DEFILLAMA_URL: prices.defillamaUrl,
    COINGECKO_URL: prices.coingeckoUrl,
    SNAPSHOT_INTERVAL_SECONDS: String(STEP_MS / 1000),
    TRANSFER_INTERVAL_SECONDS: String(STEP_MS / 1000),
    ...Object.fromEntries(others.map((name) => [`${name}_RPC_URLS`, nowhere])),
  });
  const service = await compose(config);
  closers.push(() => service.stop());
  return (await service.start()).url;
}

/** Gives the ids of those whose past can be told: a Solana node keeps none. */
async function addWallets(api: ApiClient, { evm, solana }: DemoWorld): Promise<readonly string[]> {
  const alice = await api.post('/wallets', { address: 'alice.eth', chain: ['ethereum', 'base'], label: 'Alice' });
  const bob = await api.post('/wallets', { address: BOB, chain: 'ethereum', label: 'Bob' });
  await api.post('/wallets', { address: solana.carol, chain: 'solana', label: 'Carol' });
  await api.post('/assets', { chain: 'ethereum', address: evm.unlisted.farm });
  await api.post('/assets', { chain: 'ethereum', address: evm.unlisted.fakeUsdc });
  return [alice, bob].map((wallet) => walletSchema.parse(wallet).id);
}

const walletSchema = z.object({ id: z.string() });
const backfillSchema = z.object({ status: z.string() });

/** Has the past of the wallets read from the chain, which keeps all of it. */
async function readPast(api: ApiClient, walletIds: readonly string[], since: Date): Promise<void> {
  for (const id of walletIds) {
    await api.post(`/wallets/${id}/backfill`, { from: since.toISOString().slice(0, 10) });
    while (backfillSchema.parse(await api.get(`/wallets/${id}/backfill`)).status === 'running') await sleep(POLL_MS);
  }
}

async function main(): Promise<void> {
  console.log('Starting local chains, prices and the service ...');
  const world = await startWorld();
  const url = await startService(world);
  const api = createApiClient(url);
  const walletIds = await addWallets(api, world);
  await api.post('/portfolio/refresh', {}, { prefer: 'wait=30' });
  console.log(`\n${formatPortfolio(await api.get('/portfolio'))}\n`);
  const since = beginningOf(new Date());
  await readPast(api, walletIds, since);
  const past = `from=${since.toISOString()}&${walletIds.map((id) => `wallet_id=${id}`).join('&')}`;
  console.log(`${formatHistory(await api.get(`/portfolio/history?interval=1d&${past}`))}\n`);
  console.log(`Wallets: alice.eth (${ALICE}) and ${BOB} on local EVM chains, ${world.solana.carol} on a local Solana.`);
  console.log(
    `Serving at ${url}/docs and ${url}/api/v1/portfolio; balances change every ${STEP_MS / 1000} seconds. Ctrl-C stops.`,
  );
  for (let step = 1; ; step++) {
    await sleep(STEP_MS);
    await changeWorld(world, step);
    // One that is refused, because somebody tries the limits out, is no reason to end.
    await api.post('/portfolio/refresh', {}, { prefer: 'wait=10' }).catch((error: unknown) => console.error(String(error)));
  }
}

/** Ends what was started, the last first. */
let isStopping = false;
async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const close of closers.reverse()) await close().catch(() => undefined);
  process.exit(code);
}

onStopSignal(() => void stop(0));
main().catch((error: unknown) => {
  if (isStopping) return;
  console.error(error instanceof StartupError ? `The demo cannot start: ${error.message}` : error);
  void stop(1);
});
