import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { extensions } from '../../../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../../../localnet/solana/solana-node.ts';
import { walletOf } from '../../../localnet/solana/vm.ts';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../../../src/adapters/solana/programs.ts';
import { describeBalanceSource } from '../../contract/balance-source.contract.ts';
import type { RpcProxy } from '../../support/rpc-proxy.ts';
import {
  accountBytes,
  amountOf,
  createSource,
  entryOf,
  LOCAL_CLUSTER,
  read,
  readingsOf,
  START,
  signal,
  startTwoWallets,
  type TwoWallets,
} from './solana-setup.ts';

const { genesisHash } = LOCAL_CLUSTER;
const DEAD = 'http://127.0.0.1:9';

let two: TwoWallets | undefined;
let node: SolanaNode;
let proxy: RpcProxy;
let alice: string;
let bob: string;
let dollar: string;
let scaled: string;

beforeAll(async () => {
  two = await startTwoWallets();
  ({ node, proxy, alice, bob, dollar, scaled } = two);
});
beforeEach(() => two?.reset());
afterAll(() => two?.close());

describeBalanceSource('Solana', async () => {
  const world = await startSolanaNode({ genesisHash, unixSeconds: START });
  const holder = await walletOf('holder');
  const token = await world.createMint('token', { kind: 'spl', decimals: 6 });
  world.setSol(holder, 12_345n);
  await world.mintTo(token, holder, 2n ** 64n - 1n);
  return {
    source: createSource([world.rpcUrl]),
    deadSource: createSource([DEAD]),
    holder,
    emptyWallet: await walletOf('empty'),
    nativeRaw: 12_345n,
    token,
    tokenRaw: 2n ** 64n - 1n,
    tokenDecimals: 6,
    notAToken: holder,
    close: () => world.stop(),
  };
});

describe('what is held', () => {
  test('wrapped SOL is part of SOL, shown once, and the rent of its accounts is not', async () => {
    const carol = await walletOf('carol');
    node.setSol(carol, 5n);
    await node.wrapSol(carol, 70n);
    await node.wrapSol(carol, 900n);
    const found = readingsOf(await read(createSource([node.rpcUrl]), [carol]), carol);
    expect([...found.keys()]).toEqual([null]);
    expect(amountOf(found.get(null))).toBe(975n);
  });

  test('a new multiplier counts from the moment on that the chain, not our clock, says it begins', async () => {
    const own = await startSolanaNode({ genesisHash, unixSeconds: START });
    try {
      const mint = await own.createMint('pending', { kind: 'spl-2022', decimals: 0, extensions: [extensions.scaled(1)] });
      await own.mintTo(mint, alice, 10n);
      await own.setMultiplier(mint, 5, START + 1_000n);
      const source = createSource([own.rpcUrl]);
      const shown = async (): Promise<string | undefined> => {
        const found = readingsOf(await read(source, [alice]), alice).get(mint);
        return found?.status === 'ok' ? `${found.amountRaw} ${found.ui?.multiplier} ${found.ui?.amount}` : undefined;
      };
      expect(await shown()).toBe('10 1 10');
      own.setTime(START + 999n);
      expect(await shown()).toBe('10 1 10');
      own.setTime(START + 1_000n);
      expect(await shown()).toBe('10 5 50');
    } finally {
      await own.stop();
    }
  });

  test('one wallet with twenty thousand token accounts is read whole', async () => {
    const own = await startSolanaNode({ genesisHash, unixSeconds: START });
    try {
      const whale = await walletOf('whale');
      for (let n = 0; n < 20_000; n += 1) {
        const mint = own.address(`mint ${n % 10_000}`);
        own.setData(own.address(`account ${n}`), TOKEN_PROGRAM, accountBytes({ mint, owner: whale, amount: BigInt(n) }));
      }
      const found = readingsOf(await read(createSource([own.rpcUrl], 30_000), [whale]), whale);
      expect(found.size).toBe(10_001);
      const sums = Array.from({ length: 10_000 }, (_, n) => amountOf(found.get(own.address(`mint ${n}`))));
      expect(sums).toEqual(sums.map((_, n) => BigInt(n + n + 10_000)));
    } finally {
      await own.stop();
    }
  });
});

describe('what cannot be read', () => {
  test('a token account in no known state fails its own mint, in this wallet alone', async () => {
    const mallory = await walletOf('mallory');
    node.setSol(mallory, 7n);
    await node.mintTo(dollar, mallory, 5n);
    await node.mintTo(scaled, mallory, 6n);
    const data = accountBytes({ mint: dollar, owner: mallory, amount: 9n });
    data[108] = 9;
    node.setData(node.address('broken account'), TOKEN_PROGRAM, data);

    const reading = await read(createSource([node.rpcUrl]), [mallory, alice]);

    const found = readingsOf(reading, mallory);
    expect(amountOf(found.get(dollar))).toBe('upstream_malformed');
    expect(amountOf(found.get(scaled))).toBe(6n);
    expect(amountOf(found.get(null))).toBe(7n);
    expect(amountOf(readingsOf(reading, alice).get(dollar))).toBe(1_000n);
  });

  test('a Token-2022 mint whose data is spoilt fails alone, and is no token any more', async () => {
    const own = await startSolanaNode({ genesisHash, unixSeconds: START });
    try {
      const [good, bad] = [
        await own.createMint('good', { kind: 'spl-2022', decimals: 2 }),
        await own.createMint('bad', { kind: 'spl-2022', decimals: 2, extensions: [extensions.interest(100)] }),
      ];
      for (const mint of [good, bad]) await own.mintTo(mint, alice, 3n);
      own.setData(bad, TOKEN_2022_PROGRAM, Buffer.alloc(200, 0xff));
      const source = createSource([own.rpcUrl]);

      const found = readingsOf(await read(source, [alice]), alice);

      expect(amountOf(found.get(good))).toBe(3n);
      expect(amountOf(found.get(bad))).toBe('upstream_malformed');
      expect((await source.describeTokens([good, bad], signal)).get(bad)).toEqual({ status: 'not_a_token' });
    } finally {
      await own.stop();
    }
  });

  const pubkey = '11111111111111111111111111111112';
  const account = { lamports: 1, owner: TOKEN_PROGRAM, data: ['', 'base64'] };
  const strange: readonly (readonly [string, unknown])[] = [
    ['no list', { context: { slot: 5_000 }, value: {} }],
    ['no slot', { value: [] }],
    ['a slot that no number holds', { context: { slot: 2 ** 60 }, value: [] }],
    ['text where lamports belong', { context: { slot: 5_000 }, value: [{ pubkey, account: { ...account, lamports: '1' } }] }],
    ['an account of another program', { context: { slot: 5_000 }, value: [{ pubkey, account: { ...account, owner: pubkey } }] }],
    ['no base64', { context: { slot: 5_000 }, value: [{ pubkey, account: { ...account, data: ['%%', 'base64'] } }] }],
    ['another encoding', { context: { slot: 5_000 }, value: [{ pubkey, account: { ...account, data: ['', 'base58'] } }] }],
    ['a cut account', { context: { slot: 5_000 }, value: [{ pubkey, account }] }],
    ['null', null],
  ];
  test.each(strange)('an endpoint that answers with %s is not believed, and the next one is asked', async (_, result) => {
    proxy.intercept = ({ method }) => (method === 'getTokenAccountsByOwner' ? { result } : undefined);
    const alone = await read(createSource([proxy.url]), [alice]);
    expect(entryOf(alone, alice, 'balances')).toMatchObject({ status: 'failed', error: { code: 'upstream_malformed' } });
    const both = await read(createSource([proxy.url, node.rpcUrl]), [alice]);
    expect(amountOf(readingsOf(both, alice).get(dollar))).toBe(1_000n);
  });

  test("accounts of somebody else, or one account told twice, are not added to a wallet's", async () => {
    const entry = (owner: string): unknown => ({
      pubkey: node.address('told'),
      account: { ...account, data: [accountBytes({ mint: dollar, owner, amount: 1n }).toString('base64'), 'base64'] },
    });
    for (const value of [[entry(bob)], [entry(alice), entry(alice)]]) {
      proxy.intercept = ({ method }) =>
        method === 'getTokenAccountsByOwner' ? { result: { context: { slot: 5_000 }, value } } : undefined;
      const reading = await read(createSource([proxy.url]), [alice]);
      expect(entryOf(reading, alice, 'balances')).toMatchObject({ status: 'failed', error: { code: 'upstream_malformed' } });
    }
  });
});
