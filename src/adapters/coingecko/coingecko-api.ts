import { AppError } from '../../domain/errors.ts';
import { failedStatus, type HttpClient } from '../../lib/http-client.ts';
import { parseLosslessJson } from '../../lib/lossless-json.ts';

export const COINGECKO_ID = 'coingecko';

const TIMEOUT_MS = 10_000;
const MAX_BYTES = 2 * 1024 * 1024;
/** The host of the paid plans, which know keys by another header. */
const PRO_HOST = 'pro-api.coingecko.com';

export type CoingeckoApi = {
  /** GET of a path with its query; JSON with numbers as their digits. Throws AppError. */
  get(path: string, query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<unknown>;
  /** Whether a key is used: without one, the API takes one contract address a request. */
  readonly hasKey: boolean;
};

/** CoinGecko's API in its keyless, demo and pro forms. The pro form is known by its host. */
export function createCoingeckoApi({
  baseUrl,
  apiKey,
  http,
}: {
  readonly baseUrl: string;
  readonly apiKey: string | null;
  readonly http: HttpClient;
}): CoingeckoApi {
  const keyHeader = new URL(baseUrl).hostname === PRO_HOST ? 'x-cg-pro-api-key' : 'x-cg-demo-api-key';
  return {
    hasKey: apiKey !== null,
    async get(path, query, signal) {
      const url = `${baseUrl}${path}?${new URLSearchParams(query).toString()}`;
      const headers = apiKey === null ? {} : { [keyHeader]: apiKey };
      const response = await http.send({ url, headers, signal, timeoutMs: TIMEOUT_MS, maxBytes: MAX_BYTES });
      const failed = failedStatus(response, url);
      if (failed !== undefined) throw failed;
      const answer = parseLosslessJson(response.body);
      if (answer === undefined) throw new AppError('upstream_malformed', 'CoinGecko sent no JSON.', { provider: COINGECKO_ID });
      return answer;
    },
  };
}
