import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { type LocalChain, startLocalChain } from '../../localnet/evm/local-chain.ts';
import { type PriceServer, startPriceServer } from '../../localnet/price-server.ts';
import { type SolanaNode, startSolanaNode } from '../../localnet/solana/solana-node.ts';
import { rpcUrlsVariable } from '../../src/config.ts';
import { chains } from '../../src/domain/chains.ts';

/** Chains and prices on the host, and the settings that point containers at them. */
export type World = {
  readonly ethereum: LocalChain;
  readonly solana: SolanaNode;
  readonly settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
};

/** What every container calls the machine that it runs on. */
const HOST_NAME = 'host.containers.internal';
const NOWHERE = 'http://127.0.0.1:9';

/** A local EVM chain, a local Solana and a price server, each behind a relay that containers can reach. */
export async function startWorld(): Promise<World> {
  const genesisHash = chains.flatMap((chain) => (chain.family === 'solana' ? [chain.genesisHash] : []))[0] ?? '';
  const [ethereum, solana, prices] = await Promise.all([
    startLocalChain({ chainId: 1 }),
    startSolanaNode({ genesisHash }),
    startPriceServer(),
  ]);
  prices.setPrice('coingecko:ethereum', '3000');
  prices.setPrice('coingecko:solana', '150.5');
  const [toEthereum, toSolana, toPrices] = await Promise.all([
    startRelay(ethereum.rpcUrl),
    startRelay(solana.rpcUrl),
    startRelay(prices.defillamaUrl),
  ]);
  return {
    ethereum,
    solana,
    settings: {
      ...Object.fromEntries(chains.map((chain) => [rpcUrlsVariable(chain), NOWHERE])),
      ETHEREUM_RPC_URLS: toEthereum.url,
      SOLANA_RPC_URLS: toSolana.url,
      ...priceSettings(prices, toPrices.url),
    },
    async close() {
      for (const relay of [toEthereum, toSolana, toPrices]) relay.close();
      await Promise.all([ethereum.stop(), solana.stop(), prices.close()]);
    },
  };
}

function priceSettings({ defillamaUrl, coingeckoUrl }: PriceServer, base: string): Readonly<Record<string, string>> {
  const place = (url: string): string => base + new URL(url).pathname;
  return { DEFILLAMA_URL: place(defillamaUrl), COINGECKO_URL: place(coingeckoUrl) };
}

/** Passes connections from every address of this machine on to a server that listens to the loopback address only. */
async function startRelay(target: string): Promise<{ readonly url: string; close(): void }> {
  const { hostname, port } = new URL(target);
  const server = createServer((client) => {
    const upstream = connect({ host: hostname, port: Number(port) });
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => to.destroy());
      from.pipe(to);
    }
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  return { url: `http://${HOST_NAME}:${bound}`, close: () => server.close() };
}
