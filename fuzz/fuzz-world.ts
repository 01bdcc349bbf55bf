import { z } from 'zod';
import { startLocalChain } from '../localnet/evm/local-chain.ts';
import { startPriceServer } from '../localnet/price-server.ts';
import { startSolanaNode } from '../localnet/solana/solana-node.ts';
import { rpcUrlsVariable } from '../src/config.ts';
import { SCOPES } from '../src/domain/access.ts';
import { chains } from '../src/domain/chains.ts';
import { startRpcProxy } from '../test/support/rpc-proxy.ts';
import { isolatedEnvironment, startServiceProcess } from '../test/support/service-process.ts';

export type FuzzWorld = {
  readonly url: string;
  /** One for each scope. */
  readonly keys: readonly { readonly id: string; readonly key: string }[];
  /** An endpoint that may be called, and a token that is there. */
  readonly known: Readonly<Record<'url' | 'address', readonly string[]>>;
  /** What the service has to say for itself so far. */
  observe(): Promise<{ readonly lagP99Ms: number; readonly errors: readonly string[] }>;
  close(): Promise<void>;
};

const NO_LIMIT = '1000000';

/** The service in a process of its own, over a real database and local chains, so that whatever fails is its own doing. */
export async function startFuzzWorld(databaseUrl: string): Promise<FuzzWorld> {
  const genesisHash = chains.flatMap((chain) => (chain.family === 'solana' ? [chain.genesisHash] : []))[0] ?? '';
  const [ethereum, solana, prices] = await Promise.all([
    startLocalChain({ chainId: 1 }),
    startSolanaNode({ genesisHash }),
    startPriceServer(),
  ]);
  const token = await ethereum.deploy('Token', ['string', 'string', 'uint8'], ['Token', 'TKN', 18]);
  // One node stands for all chains of its family: each endpoint says that it is the chain which is looked for.
  const endpoints = await Promise.all(
    chains
      .flatMap((chain) => (chain.family === 'evm' ? [chain] : []))
      .map(async (chain) => {
        const proxy = await startRpcProxy(ethereum.rpcUrl);
        const chainId = `0x${chain.chainId.toString(16)}`;
        proxy.intercept = ({ method }) => (method === 'eth_chainId' ? { result: chainId } : undefined);
        return { chain, proxy };
      }),
  );
  const service = await startServiceProcess({
    environment: isolatedEnvironment({
      ...Object.fromEntries(endpoints.map(({ chain, proxy }) => [rpcUrlsVariable(chain), proxy.url])),
      SOLANA_RPC_URLS: solana.rpcUrl,
      DEFILLAMA_URL: prices.defillamaUrl,
      COINGECKO_URL: prices.coingeckoUrl,
      DATABASE_URL: databaseUrl,
      LOG_LEVEL: 'info',
      OUTBOUND_ALLOW: '127.0.0.1',
      RATE_LIMIT_PER_MINUTE: NO_LIMIT,
      QUOTA_REFRESHES_PER_HOUR: NO_LIMIT,
    }),
  });
  return {
    url: service.url,
    known: { url: [ethereum.rpcUrl], address: [token] },
    keys: await Promise.all(SCOPES.map((scope) => createKey(service.url, scope))),
    async observe() {
      const scraped = await (await fetch(`${service.url}/metrics`)).text();
      const seconds = /^nodejs_eventloop_lag_p99_seconds(?:\{.*\})? (\S+)$/m.exec(scraped)?.[1];
      return { lagP99Ms: Number(seconds) * 1000, errors: service.lines.filter(isError) };
    },
    async close() {
      await service.stop();
      await Promise.all([ethereum.stop(), solana.stop(), prices.close(), ...endpoints.map(({ proxy }) => proxy.close())]);
    },
  };
}

async function createKey(url: string, scope: string): Promise<FuzzWorld['keys'][number]> {
  const body = JSON.stringify({ name: `fuzz ${scope}`, scopes: [scope] });
  const answer = await fetch(`${url}/api/v1/keys`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  return z.object({ id: z.string(), key: z.string() }).parse(await answer.json());
}

/** Whatever is no line of the log came from the runtime. */
function isError(line: string): boolean {
  try {
    const { level } = z.object({ level: z.string() }).parse(JSON.parse(line));
    return level === 'error' || level === 'fatal';
  } catch {
    return line.trim() !== '';
  }
}
