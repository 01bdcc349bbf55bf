import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getAddress } from 'ethers';
import { z } from 'zod';
import type { Chain } from '../src/domain/chain.ts';
import { chains } from '../src/domain/chains.ts';
import { cleanTokenText } from '../src/domain/token-text.ts';

/**
 * Makes `src/domain/data/token-list.json` from packages of npm whose licences allow it: `npm run build:tokens`. The packages are pinned, so the
 * output is the same everywhere; they are only unpacked, never installed or run with their install scripts.
 */
const PACKAGES = [
  { name: '@aave-dao/aave-address-book', version: '4.68.1', licence: 'MIT' },
  { name: '@lifi/data-types', version: '7.1.0', licence: 'Apache-2.0' },
  { name: 'viem', version: '2.57.20', licence: 'MIT' },
  { name: '@drift-labs/sdk', version: '2.145.0', licence: 'Apache-2.0' },
  { name: '@eth-optimism/tokenlist', version: '10.0.1757', licence: 'MIT' },
  { name: '@metamask/contract-metadata', version: '2.5.0', licence: 'ISC' },
  { name: 'blockchain-addressbook', version: '0.54.111', licence: 'MIT' },
] as const;
/** Needed by one of the above to load. */
const HELPERS = [{ name: '@lifi/types', version: '18.4.0', licence: 'Apache-2.0' }] as const;

const OUTPUT = new URL('../src/domain/data/token-list.json', import.meta.url);
const MAX_TOKENS_PER_CHAIN = 300;
const ZERO_ADDRESS = '0x0000000000000000000000000000000000000000';
/** Listed first, in this order, and on one source's word. */
const MAJORS = [
  ...'USDC USDT USDT0 USD₮0 USDt DAI USDS WETH WBTC cbBTC wstETH stETH rETH cbETH weETH EURC LINK UNI AAVE SOL mSOL JitoSOL'.split(
    ' ',
  ),
  ...'SHIB PEPE ENA ONDO PENDLE MORPHO ETHFI EIGEN SKY ARB OP CRO QNT GALA SAND MANA CHZ LPT DYDX FLOKI RNDR AXS INJ BLUR ZRO'.split(
    ' ',
  ),
];
/** Newer blue chips that the packages miss; each address was found alike in many public sources. */
const ADDED = [
  { chainId: 1, address: '0x6982508145454Ce325dDbE47a25d4ec3d2311933', symbol: 'PEPE', name: 'Pepe', decimals: 18 },
  { chainId: 1, address: '0x57e114B691Db790C35207b2e685D4A43181e6061', symbol: 'ENA', name: 'Ethena', decimals: 18 },
  { chainId: 1, address: '0xfAbA6f8e4a5E8Ab82F62fe7C39859FA577269BE3', symbol: 'ONDO', name: 'Ondo', decimals: 18 },
  { chainId: 1, address: '0x808507121B80c02388fAd14726482e061B8da827', symbol: 'PENDLE', name: 'Pendle', decimals: 18 },
  { chainId: 1, address: '0x58D97B57BB95320F9a05dC918Aef65434969c2B2', symbol: 'MORPHO', name: 'Morpho Token', decimals: 18 },
  {
    chainId: 1,
    address: '0xFe0c30065B384F05761f15d0CC899D4F9F9Cc0eB',
    symbol: 'ETHFI',
    name: 'ether.fi governance token',
    decimals: 18,
  },
];
/** Shares of pools, and claims that expire: too short-lived for a list that ships with a release. */
const FLEETING = /^(UNI-V2|BPT|G-UNI|(a[A-Z][a-z]+)?PT[-_])/;

type Token = { readonly address: string; readonly symbol: string; readonly name: string; readonly decimals: number };
/** `trusted`: each token of the source is listed. Otherwise a token needs a second word: see `isListed`. */
type Claim = Token & { readonly chain: string; readonly source: string; readonly trusted: boolean };

const evmToken = z.object({
  chainId: z.number(),
  address: z.string().regex(/^0x[0-9a-fA-F]{40}$/),
  symbol: z.string().min(1),
  name: z.string().min(1),
  decimals: z.number().int().min(0).max(36),
});

const folder = mkdtempSync(join(tmpdir(), 'token-list-'));
try {
  for (const item of [...PACKAGES, ...HELPERS]) unpack(item);
  const claims = await readClaims(createRequire(join(folder, 'index.js')));
  writeFileSync(OUTPUT, print(select(claims)));
} finally {
  rmSync(folder, { recursive: true });
}

function unpack({ name, version, licence }: { name: string; version: string; licence: string }): void {
  const packed = execFileSync('npm', ['pack', `${name}@${version}`, '--ignore-scripts', '--silent'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const target = join(folder, 'node_modules', name);
  mkdirSync(target, { recursive: true });
  execFileSync('tar', ['-xzf', join(folder, packed.trim()), '-C', target, '--strip-components=1']);
  const declared: unknown = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8'));
  const found = z.object({ license: z.string() }).parse(declared).license;
  if (found !== licence) throw new Error(`${name}@${version} is now under ${found}, not ${licence}: read it before going on.`);
}

async function readClaims(load: NodeJS.Require): Promise<Claim[]> {
  const path = (file: string): string => join(folder, 'node_modules', file);
  return [
    ...ADDED.flatMap((token) => claim('added', true, token)),
    ...readAave(load(path('@aave-dao/aave-address-book/tokenlist.json'))),
    ...readLifi(load('@lifi/data-types')),
    ...readViem(await import(path('viem/_esm/tokens/index.js'))),
    ...readDrift(readFileSync(path('@drift-labs/sdk/lib/node/constants/spotMarkets.js'), 'utf8')),
    ...readOptimism(load('@eth-optimism/tokenlist')),
    ...readMetamask(load('@metamask/contract-metadata/contract-map.json')),
    ...readBeefy(load(path('blockchain-addressbook/build/address-book/index.js'))),
  ];
}

function readAave(list: unknown): Claim[] {
  const { tokens } = z.object({ tokens: z.array(evmToken.extend({ tags: z.array(z.string()) })) }).parse(list);
  const wanted = tokens.filter((token) => token.tags.includes('underlying') || token.tags.includes('aTokenV3'));
  return wanted.flatMap((token) => claim('aave', true, token));
}

function readLifi(module: unknown): Claim[] {
  const text = z.string().optional();
  const onChain = z.object({ address: z.string(), decimals: z.number(), name: text, symbol: text });
  const coin = z.object({ key: z.string(), name: z.string(), chains: z.record(z.string(), onChain) });
  const { basicCoins } = z.object({ basicCoins: z.array(coin) }).parse(module);
  return basicCoins.flatMap(({ key, name, chains: addresses }) =>
    Object.entries(addresses).flatMap(([chainId, token]) => {
      const full = { ...token, symbol: token.symbol ?? key, name: token.name ?? name };
      // LI.FI's own number for Solana.
      if (chainId === '1151111081099710') return solanaClaim('lifi', full);
      return claim('lifi', true, { ...full, chainId: Number(chainId) });
    }),
  );
}

function readViem(module: unknown): Claim[] {
  const token = z.object({
    name: z.string(),
    symbol: z.string(),
    decimals: z.number(),
    addresses: z.record(z.string(), z.string()),
  });
  return Object.values(z.record(z.string(), z.unknown()).parse({ ...z.looseObject({}).parse(module) })).flatMap((entry) => {
    // The definitions are functions with properties.
    const parsed = token.safeParse(typeof entry === 'function' ? pick(entry) : entry);
    if (!parsed.success) return [];
    const { addresses, ...facts } = parsed.data;
    return Object.entries(addresses).flatMap(([chainId, address]) =>
      claim('viem', true, { ...facts, address, chainId: Number(chainId) }),
    );
  });
}

function pick(entry: object): Record<string, unknown> {
  return Object.fromEntries(['name', 'symbol', 'decimals', 'addresses'].map((key) => [key, Reflect.get(entry, key)]));
}

/** The spot markets are read as text, since loading them would take the whole SDK and what it depends on. */
function readDrift(source: string): Claim[] {
  const exponents: Record<string, number> = {
    QUOTE_PRECISION_EXP: 6,
    LAMPORTS_EXP: 9,
    FOUR: 4,
    FIVE: 5,
    SIX: 6,
    SEVEN: 7,
    EIGHT: 8,
    NINE: 9,
  };
  const mainnet = source.slice(source.indexOf('exports.MainnetSpotMarkets = ['));
  const market =
    /symbol: '([^']+)',[^}]*?mint: new web3_js_1\.PublicKey\('([^']+)'\),[^}]*?precisionExp: numericConstants_1\.(\w+)/g;
  return [...mainnet.matchAll(market)].flatMap(([, symbol = '', address = '', exponent = '']) => {
    // Isolated pools repeat a token under a numbered name, and PT tokens expire.
    if (/-\d+$|^PT-/.test(symbol)) return [];
    return solanaClaim('drift', { address, symbol, name: symbol, decimals: exponents[exponent] ?? -1 });
  });
}

function readOptimism(module: unknown): Claim[] {
  const token = evmToken.extend({ extensions: z.looseObject({ opListId: z.string() }) });
  const list = z.object({ tokens: z.array(token) });
  const { default: parsed } = z.object({ default: list }).parse(module);
  return parsed.tokens.flatMap((entry) => claim('optimism', entry.extensions.opListId === 'default', entry));
}

function readMetamask(map: unknown): Claim[] {
  const entry = z.object({
    name: z.string(),
    symbol: z.string(),
    decimals: z.number().optional(),
    erc20: z.boolean().optional(),
  });
  const parsed = z.record(z.string(), entry).parse(map);
  return Object.entries(parsed).flatMap(([address, { name, symbol, decimals, erc20 }]) =>
    erc20 === true && decimals !== undefined ? claim('metamask', false, { chainId: 1, address, name, symbol, decimals }) : [],
  );
}

function readBeefy(module: unknown): Claim[] {
  const book = z.object({ addressBook: z.record(z.string(), z.object({ tokens: z.record(z.string(), z.unknown()) })) });
  // An entry that somebody looked after has a description; the others came from old lists of a bridge.
  const described = evmToken.extend({ description: z.string().min(1) });
  return Object.values(book.parse(module).addressBook).flatMap(({ tokens }) =>
    Object.values(tokens).flatMap((entry) => {
      const token = described.safeParse(entry);
      return token.success ? claim('beefy', false, token.data) : [];
    }),
  );
}

function claim(source: string, trusted: boolean, token: Token & { chainId: number }): Claim[] {
  const chain = chains.find((candidate) => candidate.family === 'evm' && candidate.chainId === token.chainId);
  const parsed = evmToken.safeParse(token);
  if (chain === undefined || !parsed.success || token.address === ZERO_ADDRESS) return [];
  return clean({ ...parsed.data, address: getAddress(token.address.toLowerCase()), chain: chain.slug, source, trusted });
}

function solanaClaim(source: string, token: Token): Claim[] {
  const valid = /^[1-9A-HJ-NP-Za-km-z]{43,44}$/.test(token.address) && token.decimals >= 0;
  return valid ? clean({ ...token, chain: 'solana', source, trusted: true }) : [];
}

function clean({ chain, source, trusted, address, decimals, ...texts }: Claim): Claim[] {
  const symbol = cleanTokenText(texts.symbol);
  const name = cleanTokenText(texts.name);
  return symbol === null || name === null || FLEETING.test(symbol)
    ? []
    : [{ chain, source, trusted, address, symbol, name, decimals }];
}

function select(claims: readonly Claim[]): ReadonlyMap<Chain, readonly Token[]> {
  const byAddress = Map.groupBy(claims, ({ chain, address }) => `${chain}/${address}`);
  const claimsOfSymbol = Map.groupBy(claims, ({ symbol }) => symbol);
  const known = new Set(
    [...byAddress.values()]
      .filter(isVouched)
      .flat()
      .map(({ symbol }) => symbol),
  );
  const isFamiliar = ({ symbol, source }: Claim): boolean => {
    // Anybody may add to the long part of Optimism's list, so that its word alone counts for nothing.
    if (source === 'optimism') return false;
    const same = claimsOfSymbol.get(symbol) ?? [];
    const onChains = new Set(same.flatMap((word) => (word.source === source ? [word.chain] : [])));
    return known.has(symbol) || MAJORS.includes(symbol) || countSources(same) > 1 || onChains.size > 1;
  };
  const chosen = [...byAddress.values()].filter((words) => isVouched(words) || words.some(isFamiliar));
  return new Map(
    chains.map((chain) => {
      const here = chosen.filter((words) => words[0]?.chain === chain.slug).toSorted(byImportance);
      return [chain, here.slice(0, MAX_TOKENS_PER_CHAIN).map(toToken)];
    }),
  );
}

/** One trusted source, or two others that agree. */
function isVouched(words: readonly Claim[]): boolean {
  return words.some(({ trusted }) => trusted) || countSources(words) > 1;
}

function countSources(words: readonly Claim[]): number {
  return new Set(words.map(({ source }) => source)).size;
}

function byImportance(a: readonly Claim[], b: readonly Claim[]): number {
  const [first, second] = [toToken(a), toToken(b)];
  const rank = ({ symbol }: Token): number => (MAJORS.includes(symbol) ? MAJORS.indexOf(symbol) : MAJORS.length);
  const trust = (words: readonly Claim[]): number => Number(words.some(({ trusted }) => trusted));
  const order = rank(first) - rank(second) || trust(b) - trust(a) || countSources(b) - countSources(a);
  return order || compare(first.symbol, second.symbol) || compare(first.address, second.address);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** The first source's words; disagreement on the decimals is a fault that somebody has to look at. */
function toToken(words: readonly Claim[]): Token {
  const [first] = words;
  if (first === undefined) throw new Error('A token without a source.');
  if (words.some(({ decimals }) => decimals !== first.decimals)) {
    throw new Error(
      `${first.chain}/${first.address}: ${words.map(({ source, decimals }) => `${source} says ${decimals}`).join(', ')}`,
    );
  }
  return { address: first.address, symbol: first.symbol, name: first.name, decimals: first.decimals };
}

/** One line a token, so that a change reads well. */
function print(lists: ReadonlyMap<Chain, readonly Token[]>): string {
  const sources = PACKAGES.map(
    ({ name, version, licence }) => `    ${JSON.stringify({ package: `${name}@${version}`, licence })}`,
  );
  const lines = [...lists].map(([{ slug }, tokens]) => {
    console.log(`${slug}: ${tokens.length}`);
    return `    ${JSON.stringify(slug)}: [\n${tokens.map((token) => `      ${JSON.stringify(token)}`).join(',\n')}\n    ]`;
  });
  return `{\n  "sources": [\n${sources.join(',\n')}\n  ],\n  "chains": {\n${lines.join(',\n')}\n  }\n}\n`;
}
