import { toUtf8Bytes } from 'ethers/utils';
import type { LocalChain } from './local-chain.ts';

/** A token that does something real tokens do, or worse, and what a truthful reader says of it. */
export type OddToken = {
  /** What is odd about it. */
  readonly oddity: string;
  readonly address: string;
  /** False where `balanceOf` never answers with a word: then nothing here describes it. */
  readonly isToken: boolean;
  readonly symbol: string | null;
  readonly name: string | null;
  readonly decimals: number | null;
  /** False where balances cannot be set: all owners read the same. */
  readonly isSettable: boolean;
  /** What is read after `amount` was set (or whatever was, where nothing can be set); null when it cannot be read. */
  readonly reads: (amount: bigint) => bigint | null;
};

const same = (amount: bigint): bigint => amount;

/** Deploys at least 25 odd tokens. The same chain gives the same addresses. */
export async function deployOddTokens(chain: LocalChain): Promise<readonly OddToken[]> {
  return [...(await deployPlain(chain)), ...(await deployWild(chain)), ...(await deployBroken(chain))];
}

async function deployPlain(chain: LocalChain): Promise<readonly OddToken[]> {
  const tokens: OddToken[] = [];
  for (const decimals of [0, 2, 6, 8, 18, 24, 77, 78, 255]) {
    const symbol = `DEC${decimals}`;
    const name = `Token of ${decimals} decimals`;
    const address = await chain.deploy('Token', ['string', 'string', 'uint8'], [name, symbol, decimals]);
    tokens.push({
      oddity: `${decimals} decimals`,
      address,
      isToken: true,
      symbol,
      name,
      decimals,
      isSettable: true,
      reads: same,
    });
  }
  const texts: readonly (readonly [string, string, string | null])[] = [
    ['empty symbol', '', null],
    ['NUL and line breaks in the symbol', 'A\u0000B\nC', 'A B C'],
    ['right-to-left override in the symbol', 'USD\u202eCDSU', 'USDCDSU'],
    ['zero-width characters in the symbol', 'US\u200bD\ufeffX', 'USDX'],
    ['markup in the symbol', '<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['SQL in the symbol', "'; DROP TABLE balances;--", "'; DROP TABLE balances;--"],
    ['emoji in the symbol', '🦄🦄', '🦄🦄'],
    ['symbol of 300 characters', 'L'.repeat(300), 'L'.repeat(64)],
  ];
  for (const [oddity, symbol, clean] of texts) {
    const address = await chain.deploy('Token', ['string', 'string', 'uint8'], [oddity, symbol, 18]);
    tokens.push({ oddity, address, isToken: true, symbol: clean, name: oddity, decimals: 18, isSettable: true, reads: same });
  }
  return tokens;
}

async function deployWild(chain: LocalChain): Promise<readonly OddToken[]> {
  const wild = (decimals: bigint, symbol: Uint8Array): Promise<string> =>
    chain.deploy('WildMetadata', ['uint256', 'bytes', 'bytes'], [decimals, symbol, toUtf8Bytes('Wild')]);
  const base = { isToken: true, isSettable: true, reads: same };
  return [
    {
      ...base,
      oddity: 'decimals 274',
      address: await wild(274n, toUtf8Bytes('W274')),
      symbol: 'W274',
      name: 'Wild',
      decimals: null,
    },
    {
      ...base,
      oddity: 'decimals 2^256-1',
      address: await wild(2n ** 256n - 1n, toUtf8Bytes('WMAX')),
      symbol: 'WMAX',
      name: 'Wild',
      decimals: null,
    },
    {
      ...base,
      oddity: 'symbol that is no UTF-8',
      address: await wild(18n, Uint8Array.of(0x41, 0xff, 0xfe, 0x42)),
      symbol: 'AB',
      name: 'Wild',
      decimals: 18,
    },
    {
      ...base,
      oddity: 'bytes32 metadata',
      address: await chain.deploy('Bytes32Metadata'),
      symbol: 'MKR',
      name: 'Maker',
      decimals: 18,
    },
    { ...base, oddity: 'no metadata', address: await chain.deploy('NoMetadata'), symbol: null, name: null, decimals: null },
    {
      ...base,
      oddity: 'reverting metadata',
      address: await chain.deploy('RevertingMetadata'),
      symbol: null,
      name: null,
      decimals: null,
    },
    { ...base, oddity: 'symbol of 1 MB', address: await chain.deploy('HugeSymbol'), symbol: null, name: null, decimals: 18 },
  ];
}

async function deployBroken(chain: LocalChain): Promise<readonly OddToken[]> {
  const implementation = await chain.deploy('Token', ['string', 'string', 'uint8'], ['Behind', 'BEHIND', 18]);
  const reverting = await chain.deploy('BalanceReverts');
  await chain.send(reverting, 'setBroken(bool)', [true]);
  const sound = { isToken: true, isSettable: true, symbol: null, name: null, reads: same };
  const broken = { isToken: false, isSettable: false, symbol: null, name: null, decimals: null, reads: () => null };
  return [
    {
      ...sound,
      oddity: 'proxy without metadata of its own',
      address: await chain.deploy('Proxy', ['address'], [await chain.deploy('NoMetadata')]),
      decimals: null,
    },
    {
      ...sound,
      oddity: 'proxy of a token with immutable decimals',
      address: await chain.deploy('Proxy', ['address'], [implementation]),
      decimals: 18,
    },
    {
      ...sound,
      oddity: 'fee taken from what is shown',
      address: await chain.deploy('FeeToken'),
      symbol: 'FEE',
      name: 'Fee on transfer',
      decimals: 9,
      reads: (amount) => (amount / 100n) * 99n,
    },
    {
      ...sound,
      oddity: 'balanceOf returns 320 kB',
      address: await chain.deploy('BalanceBombs'),
      symbol: 'BOMB',
      name: 'Return bomb',
      decimals: 18,
      isSettable: false,
      reads: () => 7n,
    },
    { ...broken, oddity: 'balanceOf burns gas', address: await chain.deploy('BalanceBurnsGas') },
    { ...broken, oddity: 'balanceOf returns 31 bytes', address: await chain.deploy('BalanceShort') },
    { ...broken, oddity: 'balanceOf reverts', address: reverting },
    { ...broken, oddity: 'no balanceOf', address: await chain.deploy('NoBalanceOf') },
    { ...broken, oddity: 'no code', address: '0x00000000000000000000000000000000DeaDBeef' },
  ];
}
