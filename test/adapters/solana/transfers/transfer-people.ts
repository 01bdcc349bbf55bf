import { address } from '@solana/kit';
import { expect } from 'vitest';
import { extensions } from '../../../../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../../../../localnet/solana/solana-node.ts';
import type { BalanceSource } from '../../../../src/adapters/balance-source.ts';
import type { TransferSource } from '../../../../src/adapters/transfer-source.ts';
import type { Transfer } from '../../../../src/domain/ledger/ledger.ts';
import { createSource, LOCAL_CLUSTER, START } from '../solana-setup.ts';
import {
  changeOf,
  createActs,
  createTransferSource,
  holdingsOf,
  type Person,
  personOf,
  readThrough,
  sumOf,
  type Token,
  withoutZeros,
} from './transfer-setup.ts';

export const SOL = 1_000_000_000n;
export const FEE = 5_000n;

/** A local Solana with people on it, whose ledgers are held against their balances. */
export type TransferWorld = {
  readonly node: SolanaNode;
  readonly acts: ReturnType<typeof createActs>;
  readonly balances: BalanceSource;
  readonly transfers: TransferSource;
  readonly dollar: Token;
  /** A token of Token-2022 that takes a part of each transfer. */
  readonly taxed: Token;
  /** Two new people with ten SOL, a thousand dollars and ten thousand cents of the taxed token each. */
  twoPeople(): Promise<readonly [Person, Person]>;
  /** What somebody does, as the ledger tells it for each of these people; what it tells must be what their balances moved by. */
  ledgerOf(people: readonly Person[], act: () => Promise<unknown>): Promise<readonly (readonly Transfer[])[]>;
  /** A number for each two people. */
  made(): number;
};

export async function createTransferWorld(): Promise<TransferWorld> {
  const node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  const dollar: Token = {
    kind: 'spl',
    decimals: 6,
    mint: address(await node.createMint('dollar', { kind: 'spl', decimals: 6 })),
  };
  const mint = await node.createMint('taxed', { kind: 'spl-2022', decimals: 2, extensions: [extensions.transferFee(500)] });
  const taxed: Token = { kind: 'spl-2022', decimals: 2, mint: address(mint) };
  const [balances, transfers] = [createSource([node.rpcUrl]), createTransferSource([node.rpcUrl])];
  let made = 0;
  return {
    node,
    acts: createActs(node),
    balances,
    transfers,
    dollar,
    taxed,
    made: () => made,
    async twoPeople() {
      made += 1;
      const people = await Promise.all([personOf(`first ${made}`), personOf(`second ${made}`)] as const);
      for (const { at } of people) {
        node.setSol(at, 10n * SOL);
        await node.mintTo(dollar.mint, at, 1_000_000_000n);
        await node.mintTo(taxed.mint, at, 10_000n);
      }
      return people;
    },
    async ledgerOf(people, act) {
      const from = node.slot() + 1n;
      const before = await Promise.all(people.map((person) => holdingsOf(balances, person)));
      await act();
      const ledgers = await Promise.all(people.map((person) => readThrough(transfers, person, from)));
      for (const [index, person] of people.entries()) {
        const moved = changeOf(before[index] ?? {}, await holdingsOf(balances, person));
        expect(withoutZeros(sumOf(ledgers[index] ?? []))).toEqual(moved);
      }
      return ledgers;
    },
  };
}

/** Without what is the same everywhere. */
export function brief(ledger: readonly Transfer[] | undefined): readonly unknown[] {
  return (ledger ?? []).map(({ asset, kind, amountRaw, counterparty }) => [kind, asset.address, amountRaw, counterparty]);
}
