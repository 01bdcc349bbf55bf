import type { PriceServer } from '../localnet/price-server.ts';
import { ALICE, BOB, type DemoEvm, FEEDS, payNative, payToken, setFeed, TOKENS } from './ethereum.ts';

const DAY_MS = 86_400_000;
const DAYS = 30;

/** What the price feeds on the chain tell today. */
const FEED_PRICES = [
  [FEEDS.eth, '3105.42'],
  [FEEDS.btc, '97310.55'],
  [FEEDS.eur, '1.0846'],
] as const;

/** The first moment of the demo's past: midnight (UTC), a month ago. */
export function beginningOf(now: Date): Date {
  return new Date(Math.floor(now.getTime() / DAY_MS) * DAY_MS - DAYS * DAY_MS);
}

/** Makes the days from the beginning until today on both chains: Alice is paid now and then, Bob buys some ether, and one day sends it is all quiet. */
export async function livePast({ ethereum, base }: DemoEvm, now: Date): Promise<void> {
  const begin = beginningOf(now).getTime();
  for (let day = 0; day < DAYS; day++) {
    const noon = new Date(begin + day * DAY_MS + DAY_MS / 2);
    await Promise.all([ethereum.mineAt(noon), base.mineAt(noon)]);
    for (const [feed, digits] of FEED_PRICES) await setFeed(ethereum, { feed, price: priceOf(digits, day), at: noon });
    if (day % 7 === 3) await payToken(ethereum, { token: TOKENS.usdc.address, to: ALICE, amountRaw: 850_000_000n });
    if (day % 10 === 5) await payNative(ethereum, BOB, 25n * 10n ** 16n);
    if (day === 18) await payToken(ethereum, { token: TOKENS.link.address, from: ALICE, to: BOB, amountRaw: 50n * 10n ** 18n });
  }
  await Promise.all([ethereum.mineAt(now), base.mineAt(now)]);
  for (const [feed, digits] of FEED_PRICES) await setFeed(ethereum, { feed, price: Number(digits), at: now });
}

/** What the coins cost at the end of each of these days: they come to today's price along waves of their own. */
export function quotePast(prices: PriceServer, today: ReadonlyMap<string, string>, now: Date): void {
  const begin = beginningOf(now).getTime();
  for (const [coin, digits] of today) {
    for (let day = 0; day < DAYS; day++) {
      prices.setPastPrice(coin, new Date(begin + (day + 1) * DAY_MS - 60_000), priceOf(digits, day).toFixed(6));
    }
  }
}

/** Dear coins go up and down together, and by how much depends on the coin; what costs about one stays there. */
function priceOf(digits: string, day: number): number {
  const price = Number(digits);
  if (Math.abs(price - 1) < 0.1) return price;
  const phase = price % 7;
  return price * (1 + Math.sin((day + phase) / 3) * 0.06 - (DAYS - day) * 0.002);
}
