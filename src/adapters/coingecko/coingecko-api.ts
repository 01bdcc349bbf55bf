import { AppError } from '../../domain/errors.ts';
import { failedStatus, type HttpClient } from '../../lib/http-client.ts';
import { parseLosslessJson } from '../../lib/lossless-json.ts';

export const COINGECKO_ID = 'coingecko';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
/** CoinGecko's list of all the coins it knows: 3 to 4 MB in 2026. */
export const COIN_LIST_PATH = '/coins/list';
const MAX_COIN_LIST_BYTES = 16 * 1024 * 1024;
/** The host of the paid plans, which know keys by another header. */
const PRO_HOST = 'pro-api.coingecko.com';
/** Calls that are refused count against the limit too, so after a refusal nothing is asked for a while. */
const DEFAULT_PAUSE_MS = 60_000;

export type CoingeckoApi = {
  /** GET of a path with its query; JSON with numbers as their digits. Throws AppError, at once while CoinGecko wants to be left alone. */
  get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>;
  /** Whether a key is used: without one, the API takes one contract address a request. */
  readonly hasKey: boolean;
};

type ApiOptions = {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly http: HttpClient;
};

/** CoinGecko's API in its keyless, demo and pro forms. The pro form is known by its host. */
export function createCoingeckoApi({ baseUrl, apiKey, http }: ApiOptions): CoingeckoApi {
  const keyHeader = new URL(baseUrl).hostname === PRO_HOST ? 'x-cg-pro-api-key' : 'x-cg-demo-api-key';
  const headers = apiKey === null ? {} : { [keyHeader]: apiKey };
  let pausedUntil = 0;
  return {
    hasKey: apiKey !== null,
    async get(path, query, signal) {
      if (Date.now() < pausedUntil) {
        throw new AppError('upstream_rate_limited', 'CoinGecko asked for a pause.', { provider: COINGECKO_ID });
      }
      const search = new URLSearchParams(query).toString();
      const url = `${baseUrl}${path}${search === '' ? '' : '?'}${search}`;
      const maxBytes = path === COIN_LIST_PATH ? MAX_COIN_LIST_BYTES : MAX_BYTES;
      const response = await http.send({ url, headers, signal, timeoutMs: TIMEOUT_MS, maxBytes });
      const failed = failedStatus(response, url);
      if (failed?.code === 'upstream_rate_limited') pausedUntil = Date.now() + (failed.retryAfterMs ?? DEFAULT_PAUSE_MS);
      if (failed !== undefined) throw failed;
      const answer = parseLosslessJson(response.body);
      if (answer === undefined) throw new AppError('upstream_malformed', 'CoinGecko sent no JSON.', { provider: COINGECKO_ID });
      return answer;
    },
  };
}
