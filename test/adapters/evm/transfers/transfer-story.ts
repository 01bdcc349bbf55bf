import { createEvmTransferSource } from '../../../../src/adapters/evm/transfers/evm-transfer-source.ts';
import type { TransferQuery, TransferReading } from '../../../../src/adapters/transfer-source.ts';
import type { EvmChain } from '../../../../src/domain/chain.ts';
import type { Transfer } from '../../../../src/domain/ledger/ledger.ts';
import { toHexWord } from '../../../support/hex-word.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from '../evm-setup.ts';
import { CAREFREE, FORWARDER, REGRETTER, startTransferWorld, type TransferWorld } from './transfer-world.ts';

export const CHAIN: EvmChain = { ...LOCAL_CHAIN, finality: { tag: 'finalized', blockTimeMs: 1_000 } };
const STRANGER = walletAddress(99);
const ETHER = 10n ** 18n;
const { signal } = new AbortController();

type Asked = {
  readonly urls?: readonly string[];
  readonly tokens?: ReadonlySet<string>;
  readonly queries?: readonly Partial<TransferQuery>[];
};

/** A chain on which Alice and Bob, whose wallets are read, have lived for a while. */
export type TransferStory = TransferWorld & {
  readonly alice: string;
  readonly bob: string;
  readonly outsider: string;
  /** The blocks of it, both included. */
  readonly start: bigint;
  readonly end: bigint;
  /** Reads all of it for both, unless told otherwise. */
  read(asked?: Asked): Promise<readonly TransferReading[]>;
  /** What is left of each change of a balance, wallet by wallet and asset by asset, when all that was told of it is taken away. */
  unexplained(readings: readonly TransferReading[]): Promise<readonly bigint[]>;
};

export const NOTHING = [0n, 0n, 0n, 0n, 0n, 0n];

export async function startTransferStory(): Promise<TransferStory> {
  const world = await startTransferWorld();
  const [, alice = '', bob = '', outsider = ''] = world.accounts;
  const start = (await world.blockNumber()) + 1n;
  await live(world, { alice, bob, outsider });
  const end = await world.blockNumber();
  await world.finalize();
  return {
    ...world,
    alice,
    bob,
    outsider,
    start,
    end,
    read({ urls = [world.chain.rpcUrl], tokens = new Set([world.token, world.otherToken]), queries } = {}) {
      const source = createEvmTransferSource({ chain: CHAIN, pool: createPool(urls) });
      const base = { walletId: 'alice', address: alice, fromBlock: start, toBlock: end, cursor: null };
      const wanted = queries ?? [{}, { walletId: 'bob', address: bob }];
      return source.readTransfers(
        wanted.map((query) => ({ ...base, ...query })),
        { signal, tokens },
      );
    },
    async unexplained(readings) {
      const rests: bigint[] = [];
      for (const [walletId, address] of [
        ['alice', alice],
        ['bob', bob],
      ] as const) {
        for (const token of [null, world.token, world.otherToken]) {
          const before = await world.balanceAt(address, token, start - 1n);
          const after = await world.balanceAt(address, token, end);
          rests.push(after - before - sumOf(transfersOf(readings, walletId), token));
        }
      }
      return rests;
    },
  };
}

export function transfersOf(readings: readonly TransferReading[], walletId: string): readonly Transfer[] {
  const reading = readings.find((one) => one.walletId === walletId);
  if (reading?.status !== 'ok') throw new Error(`not read: ${JSON.stringify(reading)}`);
  return reading.transfers;
}

export function sumOf(transfers: readonly Transfer[], token: string | null): bigint {
  return transfers.filter(({ asset }) => asset.address === token).reduce((sum, { amountRaw }) => sum + amountRaw, 0n);
}

/** All that can happen to Alice and Bob, over some forty blocks. */
async function live(
  { chain, token, otherToken, send, transfer }: TransferWorld,
  { alice, bob, outsider }: { readonly alice: string; readonly bob: string; readonly outsider: string },
): Promise<void> {
  const forwarder = walletAddress(50);
  const regretter = walletAddress(51);
  const carefree = walletAddress(52);
  await chain.rpc('anvil_setCode', [forwarder, FORWARDER]);
  await chain.rpc('anvil_setCode', [regretter, REGRETTER]);
  await chain.rpc('anvil_setCode', [carefree, CAREFREE]);
  await transfer(token, { from: outsider, to: alice, amount: 500n });
  await transfer(token, { from: alice, to: STRANGER, amount: 120n });
  await transfer(token, { from: alice, to: bob, amount: 30n });
  await transfer(otherToken, { from: bob, to: alice, amount: 7n });
  await transfer(token, { from: alice, to: alice, amount: 11n });
  await transfer(token, { from: alice, to: bob, amount: 0n });
  await send(outsider, { to: alice, value: 3n * ETHER });
  await send(alice, { to: STRANGER, value: ETHER });
  await send(alice, { to: bob, value: 5n });
  await send(alice, { to: alice, value: 9n });
  // Through a contract: to Alice from outside, and from Bob to Alice.
  await send(outsider, { to: forwarder, value: 70n, data: `0x${toHexWord(alice)}` });
  await send(bob, { to: forwarder, value: 80n, data: `0x${toHexWord(alice)}` });
  // Undone: as a whole, and inside of a transaction that went well.
  await send(bob, { to: regretter, value: 90n, data: `0x${toHexWord(alice)}` });
  await send(outsider, { to: carefree, value: 95n, data: `0x${toHexWord(alice)}${toHexWord(regretter)}` });
  // Moves nothing but the fee.
  await send(bob, { to: token, data: '0x70a08231' });
  await chain.rpc('anvil_mine', ['0x10']);
  await transfer(token, { from: outsider, to: bob, amount: 44n });
}
