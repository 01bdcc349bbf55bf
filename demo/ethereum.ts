import { deployAt } from '../localnet/evm/deploy-at.ts';
import { type LocalChain, setEnsName, startLocalChain } from '../localnet/evm/local-chain.ts';

/** The demo's wallets on chains of the EVM family: well-known keys of nobody. */
export const ALICE = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8';
export const BOB = '0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC';

/** Somebody outside, who pays them. */
const PAYER = '0x90F79bf6EB2c4f870365E785982E1f101E93b906';

const ETHER = 10n ** 18n;

type DemoToken = { readonly address: string; readonly name: string; readonly symbol: string; readonly decimals: number };

/** Tokens of the curated list, at the addresses that they have on the real chain. */
export const TOKENS = {
  usdc: { address: '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48', name: 'USD Coin', symbol: 'USDC', decimals: 6 },
  dai: { address: '0x6B175474E89094C44Da98b954EedeAC495271d0F', name: 'Dai Stablecoin', symbol: 'DAI', decimals: 18 },
  wbtc: { address: '0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599', name: 'Wrapped BTC', symbol: 'WBTC', decimals: 8 },
  link: { address: '0x514910771AF9Ca656af840dff83E8264EcF986CA', name: 'ChainLink Token', symbol: 'LINK', decimals: 18 },
} as const satisfies Record<string, DemoToken>;

export const BASE_USDC: DemoToken = {
  address: '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913',
  name: 'USD Coin',
  symbol: 'USDC',
  decimals: 6,
};

/** Price feeds at the addresses that they have on the real chain. */
export const FEEDS = {
  eth: { description: 'ETH / USD', address: '0x5f4eC3Df9cbd43714FE2740f5E3616155c5b8419' },
  btc: { description: 'BTC / USD', address: '0xF4030086522a5bEEa4988F8cA5B36dbC97BeE88c' },
  eur: { description: 'EUR / USD', address: '0xb49f677943BC038e9857d61E7d053CaA2C1734C1' },
} as const;
const FEED_DECIMALS = 8;

export type DemoEvm = {
  readonly ethereum: LocalChain;
  readonly base: LocalChain;
  /** Tokens that the curated list does not have: one honest, one that passes itself off as USDC. */
  readonly unlisted: { readonly farm: string; readonly fakeUsdc: string };
};

/** Two local chains with the chain ids of Ethereum and Base, that began at that moment, and wallets that hold something since. Blocks are final soon. */
export async function startEvm(genesisAt: Date): Promise<DemoEvm> {
  const options = { genesisAt, slotsInEpoch: 1 };
  const [ethereum, base] = await Promise.all([
    startLocalChain({ chainId: 1, ...options }),
    startLocalChain({ chainId: 8453, ...options }),
  ]);
  await Promise.all([fillEthereum(ethereum), fillBase(base)]);
  return { ethereum, base, unlisted: await deployUnlisted(ethereum) };
}

/** A real transfer of a token, so that the ledger can tell it. */
export async function payToken(
  chain: LocalChain,
  { token, from = PAYER, to, amountRaw }: { token: string; from?: string; to: string; amountRaw: bigint },
): Promise<void> {
  const data = `${TRANSFER}${word(BigInt(to))}${word(amountRaw)}`;
  await sendAs(chain, { from, to: token, data });
}

/** A real transfer of the chain's coin. */
export async function payNative(chain: LocalChain, to: string, amountRaw: bigint): Promise<void> {
  await sendAs(chain, { from: PAYER, to, value: `0x${amountRaw.toString(16)}` });
}

/** What a price feed says from now on, of a moment. */
export async function setFeed(
  chain: LocalChain,
  { feed, price, at }: { feed: { readonly address: string }; price: number; at: Date },
): Promise<void> {
  const answer = BigInt(Math.round(price * 10 ** FEED_DECIMALS));
  await chain.send(feed.address, 'set(int256,uint256)', [answer, BigInt(Math.floor(at.getTime() / 1000))]);
}

/** The first bytes of `transfer(address,uint256)`. */
const TRANSFER = '0xa9059cbb';

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0');
}

async function sendAs(
  chain: LocalChain,
  transaction: { from: string; to: string; data?: string; value?: string },
): Promise<void> {
  await chain.rpc('anvil_impersonateAccount', [transaction.from]);
  await chain.rpc('eth_sendTransaction', [transaction]);
}

async function fillEthereum(chain: LocalChain): Promise<void> {
  for (const token of Object.values(TOKENS)) await deployToken(chain, token);
  for (const { description, address } of Object.values(FEEDS)) {
    const values = [description, FEED_DECIMALS, 1n];
    await deployAt(chain, address, { name: 'Aggregator', types: ['string', 'uint8', 'int256'], values });
  }
  await chain.setNative(ALICE, (125n * ETHER) / 10n);
  await chain.setBalance(TOKENS.usdc.address, ALICE, 15_250_750_000n);
  await chain.setBalance(TOKENS.usdc.address, PAYER, 10_000_000_000_000n);
  await chain.setNative(PAYER, 1_000n * ETHER);
  await chain.setBalance(TOKENS.wbtc.address, ALICE, 42_000_000n);
  await chain.setBalance(TOKENS.link.address, ALICE, 850n * ETHER);
  await chain.setNative(BOB, 3n * ETHER + 1n);
  await chain.setBalance(TOKENS.dai.address, BOB, 2_500n * ETHER);
  await setEnsName(chain, 'alice.eth', ALICE);
}

async function fillBase(chain: LocalChain): Promise<void> {
  await deployToken(chain, BASE_USDC);
  await chain.setNative(ALICE, (15n * ETHER) / 10n);
  await chain.setBalance(BASE_USDC.address, ALICE, 999_999_999n);
}

async function deployUnlisted(chain: LocalChain): Promise<DemoEvm['unlisted']> {
  const types = ['string', 'string', 'uint8'];
  const farm = await chain.deploy('Token', types, ['Farm Share', 'FARMSHARE', 18]);
  const fakeUsdc = await chain.deploy('Token', types, ['USD Coin', 'USDC', 6]);
  await chain.setBalance(farm, BOB, 1_000n * ETHER);
  await chain.setBalance(fakeUsdc, BOB, 50_000_000_000n);
  return { farm, fakeUsdc };
}

function deployToken(chain: LocalChain, { address, name, symbol, decimals }: DemoToken): Promise<void> {
  return deployAt(chain, address, { name: 'Token', types: ['string', 'string', 'uint8'], values: [name, symbol, decimals] });
}
