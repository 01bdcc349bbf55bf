import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOddMints, type OddMint } from '../../../localnet/solana/odd-mints.ts';
import { type SolanaNode, startSolanaNode } from '../../../localnet/solana/solana-node.ts';
import { walletOf } from '../../../localnet/solana/vm.ts';
import type { Decimal } from '../../../src/domain/decimal.ts';
import { createSource, LOCAL_CLUSTER, read, readingsOf, START, signal } from './solana-setup.ts';

const WALLETS = 40;
const U64_MAX = 2n ** 64n - 1n;

let node: SolanaNode;
let mints: readonly OddMint[];
let wallets: readonly string[];
type Minted = { amount: bigint; frozen: bigint };
const minted = new Map<string, Minted>();
const sol = new Map<string, bigint>();
const staked = new Map<string, bigint>();

/** Amounts of one wallet's accounts of one mint: none, an empty one, one, or several. */
function accountsFor(wallet: number, mint: number): readonly bigint[] {
  const seed = wallet * 37 + mint * 11;
  if (seed % 5 === 0) return [];
  if (seed % 7 === 0) return [0n];
  if (seed % 3 === 0) return [BigInt(seed) ** 5n, 1n, BigInt(seed)];
  return [BigInt(seed + 1) ** 3n];
}

async function mint(mintAddress: string, wallet: string, amount: bigint, freeze: boolean): Promise<void> {
  await node.mintTo(mintAddress, wallet, amount, { freeze });
  const key = `${wallet}/${mintAddress}`;
  const sum = minted.get(key) ?? { amount: 0n, frozen: 0n };
  minted.set(key, { amount: sum.amount + amount, frozen: sum.frozen + (freeze ? amount : 0n) });
}

beforeAll(async () => {
  node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  mints = await createOddMints(node, START);
  wallets = await Promise.all(Array.from({ length: WALLETS }, (_, index) => walletOf(`golden ${index}`)));
  for (const [w, wallet] of wallets.entries()) {
    sol.set(wallet, w === 0 ? 0n : 10n ** BigInt(w % 18) + BigInt(w));
    node.setSol(wallet, sol.get(wallet) ?? 0n);
    staked.set(wallet, 0n);
    for (let n = 0; n < w % 4; n += 1) {
      const lamports = 3_000_000_000n * BigInt(w + n);
      // Who stakes for others does not own it.
      node.addStake(`stake ${w} ${n}`, { staker: wallets[(w + 1) % WALLETS] ?? wallet, withdrawer: wallet, lamports });
      staked.set(wallet, (staked.get(wallet) ?? 0n) + lamports);
    }
    for (const [m, odd] of mints.entries()) {
      for (const [n, amount] of accountsFor(w, m).entries()) {
        await mint(odd.address, wallet, amount, odd.isFrozen || (n === 1 && w % 2 === 0));
      }
    }
  }
  // Each mint ends with the largest supply there is, the rest of it in one wallet.
  for (const [m, odd] of mints.entries()) {
    const rest = U64_MAX - wallets.reduce((sum, wallet) => sum + (minted.get(`${wallet}/${odd.address}`)?.amount ?? 0n), 0n);
    await mint(odd.address, wallets[m % WALLETS] ?? '', rest, odd.isFrozen);
  }
  const whole = await node.createMint('all in one account', { kind: 'spl', decimals: 9 });
  await mint(whole, wallets[39] ?? '', U64_MAX, false);
}, 120_000);

afterAll(() => node?.stop());

test('tells every amount as it was minted, the frozen part of it, and what the token program says a wallet shows', async () => {
  expect(mints.length).toBeGreaterThanOrEqual(12);
  const source = createSource([node.rpcUrl]);
  const reading = await read(source, wallets);

  const differences: string[] = [];
  for (const wallet of wallets) {
    const found = readingsOf(reading, wallet);
    const names = [...found.keys()].filter((address) => address !== null).map((address) => `${wallet}/${address}`);
    expect(names.toSorted()).toEqual([...minted.keys()].filter((key) => key.startsWith(`${wallet}/`)).toSorted());
    expect(found.get(null)).toMatchObject({ status: 'ok', amountRaw: sol.get(wallet), frozenRaw: 0n, ui: null });
    expect(readingsOf(reading, wallet, 'stake').get(null)).toMatchObject({ amountRaw: staked.get(wallet) });
    for (const [address, item] of found) {
      if (address === null) continue;
      const odd = mints.find((one) => one.address === address);
      const expected = minted.get(`${wallet}/${address}`);
      const shown = odd?.hasUiAmount === true ? await node.uiAmountOf(address, expected?.amount ?? 0n) : null;
      const isEqual =
        item.status === 'ok' &&
        item.amountRaw === expected?.amount &&
        item.frozenRaw === expected.frozen &&
        isShown(item.ui?.amount ?? null, shown, odd?.decimals ?? 0);
      if (!isEqual) differences.push(`${wallet} ${odd?.oddity}`);
    }
  }
  expect(differences).toEqual([]);
  expect(minted.size).toBeGreaterThan(WALLETS * 12);
  expect(reading.block).toEqual({ number: node.slot(), hash: null });
});

test('describes every mint as it is', async () => {
  const described = await createSource([node.rpcUrl]).describeTokens(
    mints.map((odd) => odd.address),
    signal,
  );

  const expected = mints.map(({ oddity, address, standard, symbol, name, decimals, flags }) => {
    const info = { chain: LOCAL_CLUSTER.slug, address, standard, symbol, name, decimals, flags: flags.toSorted() };
    return { oddity, status: 'ok', info };
  });
  const seen = mints.map(({ oddity, address }) => {
    const found = described.get(address);
    if (found?.status !== 'ok') return { oddity, ...found };
    return { oddity, status: 'ok', info: { ...found.info, flags: found.info.flags.toSorted() } };
  });
  expect(seen).toEqual(expected);
});

test('asks in few requests', async () => {
  const source = createSource([node.rpcUrl]);
  await source.probe(signal);
  const before = node.requests();

  await read(source, wallets);

  // SOL, both programs' accounts, mints, and stake: one wallet alone and then ten at a time.
  expect(node.requests() - before).toBeLessThanOrEqual(1 + 1 + 1 + (1 + 4));
});

/** The program reckons in floats: 15 digits, and the last unit may differ. */
function isShown(amount: Decimal | null, told: string | null, decimals: number): boolean {
  if (amount === null || told === null) return amount === null && told === null;
  const difference = amount.minus(told).abs();
  return difference.shiftedBy(decimals).lte(1) || difference.lte(amount.shiftedBy(-14));
}
