import { foldLookalikes, mixesLookalikes } from './lookalikes.ts';

/** Words that ask the reader to do something; no honest token is named by them. */
const LURE = /\b(claim(s|ed|ing|able)?|visit|air ?drop(s|ped)?|giveaway|eligible|whitelisted|redeem (at|on|now|your))\b/;
/** Words that honest tokens have too, and that lure only next to a sum or a place. */
const PRIZE = /\b(rewards?|bonus(es)?|vouchers?|coupons?|gifts?|prizes?|free|win(ner)?|refund|compensation|redeem)\b/;
const SUM = /[$€£]\s?\d|\b\d[\d.,]*\s?(k|m)?\s?(\$|usd|usdt|usdc|eth|weth|btc|sol|bnb|matic|pol|arb|op)\b/;
const MONEY = /(^|[\s([!])([$€£]\s?\d[\d.,]*|\d[\d.,]*\s?\$)/;
const LINK = /https?:|\bwww\.|\bt\.me\b|\bt\.ly\b|\bbit\.ly\b|discord\.gg|\btelegram\b|:\/\//;
/**
 * Domains under endings that are cheap and open to all. Left out are the endings that projects carry in their names (`yearn.finance`,
 * `ether.fi`, `fetch.ai`, `pump.fun`): a lure under one of those nearly always has another mark.
 */
const DOMAIN =
  /[a-z0-9-]{2,}\s?\.\s?(com|org|net|info|biz|xyz|site|online|website|top|click|link|live|vip|club|lol|gift|gifts|event|events|claims|pro|pw|icu|cc|to|us|me|ru|cn|shop|store|win|bet|today|life|world|zone|tech|cfd|sbs|bond|cyou|quest|monster|rest|ws|ac|la|su|in)\b/;
const ANY_DOMAIN =
  /\b[a-z0-9-]{2,}\.(finance|fi|fund|io|co|ai|app|fun|money|cash|exchange|network|dev|eth|so|gg|im|org|com|net)\b/;
const PLACE = /\b(at|on|to|via|from|get|use|go|enter|check|open|see|access|swap|mint)\b/;
const SIGNS = /[\u{1F381}\u{2705}\u{1F6A8}\u{26A0}\u{1F517}\u{27A1}\u{1F449}]/u;

/** Whether a token's name or symbol is advertising, a link, or written to deceive. Both texts are cleaned ones. */
export function hasBadPattern(text: string): boolean {
  if (SIGNS.test(text) || mixesLookalikes(text)) return true;
  // Both as written and as read, since `$` and `|` are look-alikes too.
  return [text.normalize('NFKC').toLowerCase(), foldLookalikes(text)].some(isLure);
}

function isLure(text: string): boolean {
  if ([LURE, MONEY, LINK, DOMAIN].some((pattern) => pattern.test(text))) return true;
  if (PRIZE.test(text) && (SUM.test(text) || ANY_DOMAIN.test(text))) return true;
  return PLACE.test(text) && ANY_DOMAIN.test(text);
}
