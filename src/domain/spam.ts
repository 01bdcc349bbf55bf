import type { Asset, AssetSettings } from './asset.ts';
import { chains } from './chains.ts';
import { foldLookalikes } from './lookalikes.ts';
import { hasBadPattern } from './spam-patterns.ts';
import { findListedToken, listedTokens } from './token-list.ts';

export type SpamReason = 'bad_pattern' | 'impersonation' | 'unlisted_unpriced' | 'owner_says_spam';

/** Whether an asset is hidden from totals and default lists, why, and whose word it is. */
export type SpamVerdict = {
  readonly isSpam: boolean;
  /** What the rules found, also when the owner overruled them. */
  readonly reasons: readonly SpamReason[];
  readonly decidedBy: 'rules' | 'owner';
};

export type SpamEvidence = {
  readonly asset: Asset;
  readonly settings: AssetSettings;
  /** Whether any price is known, of the market or the owner's own. */
  readonly hasPrice: boolean;
};

/** A symbol listed on this many chains is known everywhere, so that nothing else may pass for it anywhere. */
const CHAINS_OF_A_MAJOR = 5;

const symbolsByChain = new Map(chains.map(({ slug }) => [slug, readSymbols(slug)]));
const majors = findMajors();

/**
 * Judges an asset by its name, its symbol, the curated list and whether it has a price. Coins and listed tokens are never spam by rule; a
 * token that the owner added needs no price; the owner's own word on it wins both ways.
 */
export function judgeSpam({ asset, settings, hasPrice }: SpamEvidence): SpamVerdict {
  const found = findReasons({ asset, settings, hasPrice });
  if (settings.spam === 'spam') return { isSpam: true, reasons: [...found, 'owner_says_spam'], decidedBy: 'owner' };
  if (settings.spam === 'not_spam') return { isSpam: false, reasons: found, decidedBy: 'owner' };
  return { isSpam: found.length > 0, reasons: found, decidedBy: 'rules' };
}

function findReasons({ asset, settings, hasPrice }: SpamEvidence): SpamReason[] {
  if (asset.listed || asset.address === null || findListedToken(asset.chain, asset.address) !== undefined) return [];
  const reasons: SpamReason[] = [];
  if ([asset.symbol, asset.name].some((text) => text !== null && hasBadPattern(text))) reasons.push('bad_pattern');
  if (asset.symbol !== null && impersonates(asset.chain, asset.symbol, hasPrice)) reasons.push('impersonation');
  if (!hasPrice && settings.trackedAt === null) reasons.push('unlisted_unpriced');
  return reasons;
}

/**
 * Whether a symbol passes for a coin or a listed token. Two honest projects may share a less known symbol to the letter, so there a price
 * clears the name; a symbol that only looks the same is never an accident.
 */
function impersonates(chain: string, symbol: string, hasPrice: boolean): boolean {
  const looks = outlines(symbol);
  if (looks.some((look) => majors.has(look))) return true;
  const originals = looks.flatMap((look) => symbolsByChain.get(chain)?.get(look) ?? []);
  return originals.length > 0 && !(hasPrice && originals.includes(symbol.toUpperCase()));
}

/**
 * What a symbol can be read as at a glance: without signs, accents and case, zero as O, five as S; and again with l and 1 as the I that they
 * look like, and without the `$` that some put in front.
 */
function outlines(symbol: string): readonly string[] {
  const readings = [symbol, symbol.replace(/[l1]/g, 'I'), symbol.replace(/^\$+/, '')].map((text) =>
    foldLookalikes(text)
      .replace(/[^\p{L}\p{N}]/gu, '')
      .replaceAll('0', 'o')
      .replaceAll('5', 's'),
  );
  return [...new Set(readings)].filter((reading) => reading !== '');
}

/** The symbols of a chain in upper case, by each of their outlines. */
function readSymbols(chain: string): ReadonlyMap<string, readonly string[]> {
  const looks = listedTokens(chain).flatMap(({ symbol }) =>
    outlines(symbol).map((look) => ({ look, symbol: symbol.toUpperCase() })),
  );
  const groups = Map.groupBy(looks, ({ look }) => look);
  return new Map([...groups].map(([look, entries]) => [look, [...new Set(entries.map(({ symbol }) => symbol))]]));
}

function findMajors(): ReadonlySet<string> {
  const counts = new Map<string, number>();
  for (const symbols of symbolsByChain.values()) {
    for (const look of symbols.keys()) counts.set(look, (counts.get(look) ?? 0) + 1);
  }
  const spread = [...counts].flatMap(([look, count]) => (count >= CHAINS_OF_A_MAJOR ? [look] : []));
  return new Set([...spread, ...chains.flatMap(({ native }) => outlines(native.symbol)), 'btc']);
}
