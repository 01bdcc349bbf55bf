import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the server does in place of a good answer. `value:x` sends x, a JSON text, in place of every price. */
export type PriceFault =
  | 'none'
  | 'down'
  | 'hang'
  | 'status-500'
  | 'status-429'
  | 'html'
  | 'truncated'
  | 'old'
  | 'wrong-currency'
  | `value:${string}`;

/** A price server of our own that answers as DefiLlama's coins API and CoinGecko's API do. */
export type PriceServer = {
  readonly defillamaUrl: string;
  readonly coingeckoUrl: string;
  /**
   * Sets a price, as a JSON number's digits, for a coin as both vendors name it: `coingecko:ethereum` for a native coin, `ethereum:0xabc…` for a token
   * (`solana:<mint>` with its case). Undefined takes it away.
   */
  setPrice(coin: string, digits: string | undefined): void;
  /** Units of a currency for one bitcoin, as CoinGecko's `/exchange_rates` tells it. */
  setRate(currency: string, digits: string): void;
  /** From now on, for one vendor. */
  setFault(vendor: 'defillama' | 'coingecko', fault: PriceFault): void;
  /** Paths asked for since the start, with their queries. */
  readonly requests: readonly string[];
  close(): Promise<void>;
};

type State = {
  readonly prices: Map<string, string>;
  readonly rates: Map<string, string>;
  readonly faults: Map<string, PriceFault>;
};

/** CoinGecko's platform names and what DefiLlama calls the same chains. */
const PLATFORMS: Readonly<Record<string, string>> = {
  'arbitrum-one': 'arbitrum',
  'optimistic-ethereum': 'optimism',
  'polygon-pos': 'polygon',
  'binance-smart-chain': 'bsc',
  avalanche: 'avax',
};

/** Starts the server on a port of this machine, a free one unless told. */
export async function startPriceServer({ port = 0 }: { readonly port?: number } = {}): Promise<PriceServer> {
  const state: State = { prices: new Map(), rates: new Map([['usd', '100000']]), faults: new Map() };
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(state, request, response);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : port}`;
  return {
    defillamaUrl: `${base}/defillama`,
    coingeckoUrl: `${base}/coingecko`,
    setPrice(coin, digits) {
      if (digits === undefined) state.prices.delete(coin);
      else state.prices.set(coin, digits);
    },
    setRate(currency, digits) {
      state.rates.set(currency, digits);
    },
    setFault(vendor, fault) {
      state.faults.set(vendor, fault);
    },
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(state: State, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const [, vendor = ''] = url.pathname.split('/');
  const fault = state.faults.get(vendor) ?? 'none';
  if (fault === 'hang') return;
  if (fault === 'down') {
    request.socket.destroy();
  } else if (fault === 'html') {
    send(response, 200, '<html>Just a moment...</html>', 'text/html');
  } else if (fault === 'status-500') {
    send(response, 500, '{"error":"oops"}');
  } else if (fault === 'status-429') {
    response.setHeader('retry-after', '2');
    send(response, 429, '{"status":{"error_code":429}}');
  } else {
    const path = url.pathname.slice(vendor.length + 1);
    const text =
      vendor === 'defillama' ? defillama(state, path, fault) : coingecko(state, { path, query: url.searchParams, fault });
    if (text === undefined) send(response, 404, '{"error":"not found"}');
    else send(response, 200, fault === 'truncated' ? text.slice(0, -5) : text);
  }
}

function send(response: ServerResponse, status: number, text: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

/** `{"coins":{"ethereum:0x…":{"decimals":6,"symbol":"X","price":1.0,"timestamp":1700000000,"confidence":0.99}}}` */
function defillama(state: State, path: string, fault: PriceFault): string | undefined {
  if (!path.startsWith('/prices/current/')) return undefined;
  const coins = path.slice('/prices/current/'.length).split(',').map(decodeURIComponent);
  const entries = coins.flatMap((coin) => {
    const price = priceOf(state, coin, fault);
    if (price === undefined) return [];
    return [`${JSON.stringify(coin)}:{"symbol":"X","price":${price},"timestamp":${timestamp(fault)},"confidence":0.99}`];
  });
  return `{"coins":{${entries.join(',')}}}`;
}

type CoingeckoRequest = { readonly path: string; readonly query: URLSearchParams; readonly fault: PriceFault };

function coingecko(state: State, { path, query, fault }: CoingeckoRequest): string | undefined {
  if (path === '/exchange_rates') {
    const rates = [...state.rates].map(
      ([code, value]) => `${JSON.stringify(code)}:{"name":"X","unit":"X","value":${value},"type":"fiat"}`,
    );
    return `{"rates":{${rates.join(',')}}}`;
  }
  const byId = path === '/simple/price';
  const platform = /^\/simple\/token_price\/([a-z-]+)$/.exec(path)?.[1];
  if (!byId && platform === undefined) return undefined;
  const names = (query.get(byId ? 'ids' : 'contract_addresses') ?? '').split(',');
  const prefix = byId ? 'coingecko' : (PLATFORMS[platform ?? ''] ?? platform);
  const currency = fault === 'wrong-currency' ? 'eur' : 'usd';
  const entries = names.flatMap((name) => {
    const price = priceOf(state, `${prefix}:${name}`, fault);
    if (price === undefined) return [];
    return [`${JSON.stringify(name)}:{"${currency}":${price},"last_updated_at":${timestamp(fault)}}`];
  });
  return `{${entries.join(',')}}`;
}

function priceOf(state: State, coin: string, fault: PriceFault): string | undefined {
  const price = state.prices.get(coin);
  return price !== undefined && fault.startsWith('value:') ? fault.slice('value:'.length) : price;
}

function timestamp(fault: PriceFault): number {
  const now = Math.floor(Date.now() / 1000);
  return fault === 'old' ? now - 7 * 86_400 : now - 30;
}
