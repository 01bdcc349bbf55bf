import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalChain, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import { deployOddTokens, type OddToken } from '../../../localnet/evm/odd-tokens.ts';
import { createEvmBalanceSource } from '../../../src/adapters/evm/evm-balance-source.ts';
import { RUNGS } from '../../../src/adapters/evm/ladder.ts';
import { UINT256_MAX } from '../../../src/domain/amount.ts';
import type { Reading } from '../../../src/domain/holding.ts';
import { onlyFrom, type RpcProxy, startRpcProxy } from '../../support/rpc-proxy.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from './evm-setup.ts';

const wallets = Array.from({ length: 40 }, (_, index) => walletAddress(index));
const signal = new AbortController().signal;

let chain: LocalChain;
let tokens: readonly OddToken[];
const minted = new Map<string, bigint>();
const natives = new Map<string, bigint>();

/** Nothing, dust, whole numbers, and the largest amount there is, spread over wallets and tokens. */
function amountFor(wallet: number, token: number): bigint {
  const seed = wallet * 37 + token * 11;
  if (seed % 5 === 0) return 0n;
  if (seed % 7 === 0) return UINT256_MAX - BigInt(seed);
  if (seed % 11 === 0) return 1n;
  return BigInt(seed) ** 9n;
}

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
  tokens = await deployOddTokens(chain);
  for (const [w, wallet] of wallets.entries()) {
    natives.set(wallet, BigInt(w) * 10n ** 17n + BigInt(w % 3));
    await chain.setNative(wallet, natives.get(wallet) ?? 0n);
    for (const [t, token] of tokens.entries()) {
      const amount = amountFor(w, t);
      if (!token.isSettable || amount === 0n) continue;
      await chain.setBalance(token.address, wallet, amount);
      minted.set(`${wallet}/${token.address}`, amount);
    }
  }
}, 120_000);

afterAll(() => chain?.stop());

describe.each(RUNGS)('an endpoint that serves no better way than %s', (rung) => {
  let proxy: RpcProxy;
  beforeAll(async () => {
    proxy = await startRpcProxy(chain.rpcUrl);
    proxy.intercept = onlyFrom(rung);
  });
  afterAll(() => proxy.close());

  test('tells every amount as it was minted, at one block, and names each token that cannot be read', async () => {
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([proxy.url]) });
    const addresses = tokens.map((token) => token.address);
    expect(tokens.length).toBeGreaterThanOrEqual(25);

    const reading = await source.readBalances({ addresses: wallets, tokens: addresses, signal });

    const newest = await source.probe(signal);
    expect(newest).toEqual({ block: reading.block });
    expect(reading.addresses.map((entry) => entry.address)).toEqual(wallets);
    const differences: string[] = [];
    for (const entry of reading.addresses) {
      expect(entry.status).toBe('ok');
      if (entry.status !== 'ok') continue;
      expect(entry.readings).toHaveLength(tokens.length + 1);
      const byAddress = new Map(entry.readings.map((item) => [item.asset.address, item]));
      const native = byAddress.get(null);
      if (native?.status !== 'ok' || native.amountRaw !== natives.get(entry.address)) differences.push(`${entry.address} native`);
      for (const token of tokens) {
        const expected = token.reads(minted.get(`${entry.address}/${token.address}`) ?? 0n);
        if (amountOf(byAddress.get(token.address)) !== expected) differences.push(`${entry.address} ${token.oddity}`);
      }
    }
    expect(differences).toEqual([]);
  }, 120_000);

  test('describes every token as it is, and refuses what is none', async () => {
    const source = createEvmBalanceSource({ chain: LOCAL_CHAIN, pool: createPool([proxy.url]) });

    const described = await source.describeTokens(
      tokens.map((token) => token.address),
      signal,
    );

    const seen = tokens.map(({ address, oddity }) => {
      const found = described.get(address);
      if (found?.status !== 'ok') return { oddity, status: found?.status };
      const { symbol, name, decimals } = found.info;
      return { oddity, status: 'ok', symbol, name, decimals };
    });
    const expected = tokens.map(({ oddity, isToken, symbol, name, decimals }) =>
      isToken ? { oddity, status: 'ok', symbol, name, decimals } : { oddity, status: 'not_a_token' },
    );
    expect(seen).toEqual(expected);
  }, 120_000);
});

/** null for a reading that failed with a reason. */
function amountOf(reading: Reading | undefined): bigint | null | undefined {
  if (reading === undefined) return undefined;
  if (reading.status === 'ok') return reading.amountRaw;
  return reading.error.code.length > 0 && reading.error.provider !== null ? null : undefined;
}
