import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** What the server does in place of a good answer. `value:x` sends x, a JSON text, in place of every price and rate. */
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
  | 'unsure'
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
  /** Sets what a coin was quoted at at a moment of the past, for DefiLlama's historical endpoint. */
  setPastPrice(coin: string, quotedAt: Date, digits: string): void;
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
  readonly past: Map<string, Map<number, string>>;
  readonly rates: Map<string, string>;
  readonly faults: Map<string, PriceFault>;
};

/** The real APIs refuse longer URLs. */
const MAX_URL_LENGTH = 8192;
/** How many contract addresses CoinGecko takes in one request, without and with a key. */
const KEYLESS_ADDRESSES = 1;
const KEYED_ADDRESSES = 515;

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
  const state: State = { prices: new Map(), past: new Map(), rates: new Map([['usd', '100000']]), faults: new Map() };
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
    setPastPrice(coin, quotedAt, digits) {
      const quotes = state.past.get(coin) ?? new Map<number, string>();
      state.past.set(coin, quotes.set(Math.floor(quotedAt.getTime() / 1000), digits));
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
    const isKeyed = 'x-cg-demo-api-key' in request.headers || 'x-cg-pro-api-key' in request.headers;
    const [status, text] =
      url.href.length > MAX_URL_LENGTH
        ? [414, '{"error":"too long"}']
        : vendor === 'defillama'
          ? defillama(state, { path, query: url.searchParams, fault })
          : coingecko(state, { path, query: url.searchParams, fault, isKeyed });
    send(response, status, fault === 'truncated' ? text.slice(0, -5) : text);
  }
}

type Answer = readonly [status: number, json: string];

const NOT_FOUND: Answer = [404, '{"error":"not found"}'];

function send(response: ServerResponse, status: number, text: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

/** `{"coins":{"ethereum:0x…":{"decimals":6,"symbol":"X","price":1.0,"timestamp":1700000000,"confidence":0.99}}}` */
function defillama(state: State, { path, query, fault }: Omit<CoingeckoRequest, 'isKeyed'>): Answer {
  if (path === '/batchHistorical') return batchHistorical(state, query, fault);
  if (!path.startsWith('/prices/current/')) return NOT_FOUND;
  const coins = path.slice('/prices/current/'.length).split(',').map(decodeURIComponent);
  const confidence = fault === 'unsure' ? '0.2' : '0.99';
  const entries = coins.flatMap((coin) => {
    const price = priceOf(state, coin, fault);
    if (price === undefined) return [];
    return [`${JSON.stringify(coin)}:{"symbol":"X","price":${price},"timestamp":${timestamp(fault)},"confidence":${confidence}}`];
  });
  return [200, `{"coins":{${entries.join(',')}}}`];
}

/** `{"coins":{"ethereum:0x…":{"symbol":"X","prices":[{"timestamp":1700000000,"price":1.0,"confidence":0.99}]}}}`: the quote nearest to each moment, on either side. */
function batchHistorical({ past }: State, query: URLSearchParams, fault: PriceFault): Answer {
  const asked: unknown = JSON.parse(query.get('coins') ?? '{}');
  const width = Number(query.get('searchWidth') ?? 21_600);
  const confidence = fault === 'unsure' ? '0.2' : '0.99';
  const coins = Object.entries(typeof asked === 'object' && asked !== null ? asked : {}).flatMap(([coin, moments]) => {
    const quotes = [...(past.get(coin) ?? [])];
    const prices = (Array.isArray(moments) ? moments.map(Number) : []).flatMap((moment) => {
      const distance = ([time]: readonly [number, string]): number => Math.abs(time - moment);
      const [best] = quotes.filter((quote) => distance(quote) <= width).sort((a, b) => distance(a) - distance(b));
      if (best === undefined) return [];
      const price = fault.startsWith('value:') ? fault.slice('value:'.length) : best[1];
      return [`{"timestamp":${best[0]},"price":${price},"confidence":${confidence}}`];
    });
    return prices.length === 0 ? [] : [`${JSON.stringify(coin)}:{"symbol":"X","prices":[${prices.join(',')}]}`];
  });
  return [200, `{"coins":{${coins.join(',')}}}`];
}

type CoingeckoRequest = {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly fault: PriceFault;
  readonly isKeyed: boolean;
};

function coingecko(state: State, { path, query, fault, isKeyed }: CoingeckoRequest): Answer {
  if (path === '/exchange_rates') return [200, exchangeRates(state, fault)];
  if (path === '/coins/list') return [200, coinList(state)];
  if (path === '/simple/price') {
    const ids = new Map([...state.prices.keys()].map((coin) => [toCoingeckoId(coin), coin]));
    const asked = (query.get('ids') ?? '').split(',').map((id) => [id, ids.get(id)] as const);
    return [200, simplePrices(state, asked, fault)];
  }
  const platform = /^\/simple\/token_price\/([a-z-]+)$/.exec(path)?.[1];
  if (platform === undefined) return NOT_FOUND;
  const addresses = (query.get('contract_addresses') ?? '').split(',');
  if (addresses.length > (isKeyed ? KEYED_ADDRESSES : KEYLESS_ADDRESSES)) {
    return [400, '{"error_code":10012,"status":{"error_message":"too many contract addresses"}}'];
  }
  const asked = addresses.map((address) => [address, `${PLATFORMS[platform] ?? platform}:${address}`] as const);
  return [200, simplePrices(state, asked, fault)];
}

/** `{"bitcoin":{"usd":67187.33,"last_updated_at":1700000000}}`, by the names under which the coins were asked for. */
function simplePrices(state: State, asked: readonly (readonly [string, string | undefined])[], fault: PriceFault): string {
  const currency = fault === 'wrong-currency' ? 'eur' : 'usd';
  const entries = asked.flatMap(([name, coin]) => {
    const price = coin === undefined ? undefined : priceOf(state, coin, fault);
    if (price === undefined) return [];
    return [`${JSON.stringify(name)}:{"${currency}":${price},"last_updated_at":${timestamp(fault)}}`];
  });
  return `{${entries.join(',')}}`;
}

/** `{"rates":{"usd":{"name":"US Dollar","unit":"$","value":67187.33,"type":"fiat"}}}` */
function exchangeRates(state: State, fault: PriceFault): string {
  const rates = [...state.rates].map(([code, rate]) => {
    const value = fault.startsWith('value:') && code !== 'usd' ? fault.slice('value:'.length) : rate;
    return `${JSON.stringify(code)}:{"name":"X","unit":"X","value":${value},"type":"fiat"}`;
  });
  return `{"rates":{${rates.join(',')}}}`;
}

/** `[{"id":"usd-coin","symbol":"usdc","name":"USDC","platforms":{"ethereum":"0x…"}}]` */
function coinList(state: State): string {
  const platformOf = new Map(Object.entries(PLATFORMS).map(([platform, chain]) => [chain, platform]));
  const coins = [...state.prices.keys()].map((coin) => {
    const [chain = '', address = ''] = coin.split(':');
    const platforms = chain === 'coingecko' ? {} : { [platformOf.get(chain) ?? chain]: address };
    return { id: toCoingeckoId(coin), symbol: 'x', name: 'X', platforms };
  });
  return JSON.stringify(coins);
}

/** Native coins are set by the id itself; a token's is made up from its chain and address. */
function toCoingeckoId(coin: string): string {
  return coin.startsWith('coingecko:') ? coin.slice('coingecko:'.length) : coin.replace(':', '-');
}

function priceOf(state: State, coin: string, fault: PriceFault): string | undefined {
  const price = state.prices.get(coin);
  return price !== undefined && fault.startsWith('value:') ? fault.slice('value:'.length) : price;
}

function timestamp(fault: PriceFault): number {
  const now = Math.floor(Date.now() / 1000);
  return fault === 'old' ? now - 7 * 86_400 : now - 30;
}
