import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type PriceServer, startPriceServer } from '../../localnet/price-server.ts';
import { type SolanaNode, startSolanaNode } from '../../localnet/solana/solana-node.ts';
import { compose } from '../../src/compose.ts';
import { loadConfig, rpcUrlsVariable } from '../../src/config.ts';
import { chains } from '../../src/domain/chains.ts';
import { request } from './request.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

/** What an answer of the API holds, for tests to look into. */
// biome-ignore lint/suspicious/noExplicitAny: a test names the fields it expects
export type Body = any;

export type TestStack = {
  readonly database: Pick<TestDatabase, 'db' | 'tenants'>;
  readonly ethereum: LocalChain;
  readonly solana: SolanaNode;
  readonly prices: PriceServer;
  readonly url: string;
  get(path: string): Promise<Body>;
  /** The problem document of a GET that is refused. */
  refuse(path: string): Promise<Body>;
  /** The body, after a check of the status. */
  post(path: string, body: object, status: number, headers?: Readonly<Record<string, string>>): Promise<Body>;
  patch(path: string, body: object): Promise<Body>;
  delete(path: string): Promise<void>;
  /** Refreshes everything and waits for the end. */
  refresh(): Promise<Body>;
  close(): Promise<void>;
};

/** An endpoint that refuses every connection. */
const NOWHERE = 'http://127.0.0.1:9';

/** The whole service over a real database, a real EVM node, a real Solana VM and a price server. `environment` overrides settings. */
export async function startTestStack(
  environment: (world: {
    readonly ethereum: LocalChain;
    readonly solana: SolanaNode;
  }) => Promise<Readonly<Record<string, string>>> = async () => ({}),
): Promise<TestStack> {
  const genesisHash = chains.flatMap((chain) => (chain.family === 'solana' ? [chain.genesisHash] : []))[0] ?? '';
  const [database, ethereum, solana, prices] = await Promise.all([
    createTestDatabase(),
    startLocalChain({ chainId: 1 }),
    startSolanaNode({ genesisHash }),
    startPriceServer(),
  ]);
  const config = loadConfig({
    ...Object.fromEntries(chains.map((chain) => [rpcUrlsVariable(chain), NOWHERE])),
    PORT: '0',
    LOG_LEVEL: 'silent',
    EMBEDDED_WORKER: 'false',
    RATE_LIMIT_PER_MINUTE: '0',
    DATABASE_URL: database.url,
    ETHEREUM_RPC_URLS: ethereum.rpcUrl,
    SOLANA_RPC_URLS: solana.rpcUrl,
    DEFILLAMA_URL: prices.defillamaUrl,
    COINGECKO_URL: prices.coingeckoUrl,
    ...(await environment({ ethereum, solana })),
  });
  const service = await compose(config);
  const { url } = await service.start();
  const api = request(`${url}/api/v1`);
  const stack: TestStack = {
    database,
    ethereum,
    solana,
    prices,
    url,
    get: async (path) => (await api.get(path).expect(200)).body,
    refuse: async (path) => (await api.get(path).expect('content-type', /problem/)).body,
    post: async (path, body, status, headers = {}) => {
      const answer = await api.post(path).set(headers).send(body);
      if (answer.status !== status) throw new Error(`POST ${path} answered ${answer.status}: ${answer.text}`);
      return answer.body;
    },
    patch: async (path, body) => (await api.patch(path).send(body).expect(200)).body,
    delete: async (path) => void (await api.delete(path).expect(204)),
    refresh: () => stack.post('/portfolio/refresh', {}, 200, { prefer: 'wait=60' }),
    async close() {
      await service.stop();
      await Promise.all([database.close(), ethereum.stop(), solana.stop(), prices.close()]);
    },
  };
  return stack;
}
