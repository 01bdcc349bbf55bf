import { z } from 'zod';
import { AppError } from '../../domain/errors.ts';
import { COIN_LIST_PATH, COINGECKO_ID, type CoingeckoApi } from './coingecko-api.ts';

/** CoinGecko's ids of the tokens it knows, by `platform/contract address`, EVM addresses in lower case. */
export type CoinIds = ReadonlyMap<string, string>;

export type CoingeckoCoins = {
  /** From a list that is fetched once a day. Undefined when it could not be had, which is tried again after ten minutes. */
  getIds(signal: AbortSignal): Promise<CoinIds | undefined>;
};

const KEEP_MS = 24 * 3_600_000;
const RETRY_MS = 10 * 60_000;

const listSchema = z.array(
  z.object({ id: z.string(), platforms: z.record(z.string(), z.string()).catch({}) }).catch({ id: '', platforms: {} }),
);

export function createCoingeckoCoins({ api, now }: { readonly api: CoingeckoApi; readonly now: () => Date }): CoingeckoCoins {
  let known: CoinIds | undefined;
  let dueAt = 0;
  let inFlight: Promise<void> | undefined;

  const update = async (signal: AbortSignal): Promise<void> => {
    try {
      known = await fetchIds(api, signal);
      dueAt = now().getTime() + KEEP_MS;
    } catch {
      // An older list is better than none.
      dueAt = now().getTime() + RETRY_MS;
    }
  };
  return {
    async getIds(signal) {
      if (now().getTime() >= dueAt) {
        inFlight ??= update(signal).finally(() => {
          inFlight = undefined;
        });
        await inFlight;
      }
      return known;
    },
  };
}

async function fetchIds(api: CoingeckoApi, signal: AbortSignal): Promise<CoinIds> {
  const coins = listSchema.safeParse(await api.get(COIN_LIST_PATH, { include_platform: 'true' }, signal));
  if (!coins.success) throw new AppError('upstream_malformed', 'CoinGecko sent no list of coins.', { provider: COINGECKO_ID });
  const entries = coins.data.flatMap(({ id, platforms }) =>
    Object.entries(platforms).map(([platform, address]) => [`${platform}/${normalizeAddress(address)}`, id] as const),
  );
  return new Map(entries.filter(([, id]) => id !== ''));
}

/** EVM addresses mean the same in any case, Solana's do not. */
export function normalizeAddress(address: string): string {
  return address.startsWith('0x') ? address.toLowerCase() : address;
}
