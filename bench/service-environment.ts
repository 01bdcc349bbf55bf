import { rpcUrlsVariable } from '../src/config.ts';
import { chains } from '../src/domain/chains.ts';

/** An endpoint that refuses every connection. */
const NOWHERE = 'http://127.0.0.1:9';

/** The settings of a service that talks to nobody outside, does nothing by schedule, and lets one client ask as often as it likes. */
export function serviceEnvironment(databaseUrl: string): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(chains.map((chain) => [rpcUrlsVariable(chain), NOWHERE])),
    DATABASE_URL: databaseUrl,
    DEFILLAMA_URL: NOWHERE,
    COINGECKO_URL: NOWHERE,
    EMBEDDED_WORKER: 'false',
    RATE_LIMIT_PER_MINUTE: '10000000',
  };
}
