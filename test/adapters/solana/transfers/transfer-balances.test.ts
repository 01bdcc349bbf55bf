import { address } from '@solana/kit';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { extensions } from '../../../../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../../../../localnet/solana/solana-node.ts';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
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

const SOL = 1_000_000_000n;
const RUNS = 8;

let node: SolanaNode;
let acts: ReturnType<typeof createActs>;
let tokens: readonly [Token, Token];
let made = 0;
/** Seeds of the stakes of one run. */
let stakes: string[] = [];

beforeAll(async () => {
  node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  acts = createActs(node);
  const plain = await node.createMint('plain', { kind: 'spl', decimals: 6 });
  const taxed = await node.createMint('taxed', { kind: 'spl-2022', decimals: 2, extensions: [extensions.transferFee(300)] });
  tokens = [
    { kind: 'spl', decimals: 6, mint: address(plain) },
    { kind: 'spl-2022', decimals: 2, mint: address(taxed) },
  ];
});
afterAll(() => node?.stop());

type Act = {
  readonly what: number;
  readonly who: number;
  readonly whom: number;
  readonly token: number;
  readonly amount: bigint;
};

const actArbitrary: fc.Arbitrary<Act> = fc.record({
  what: fc.nat({ max: 9 }),
  who: fc.nat({ max: 2 }),
  whom: fc.nat({ max: 2 }),
  token: fc.nat({ max: 1 }),
  amount: fc.bigInt({ min: 1n, max: 5n * SOL }),
});

/** What fails costs its fee, and is as good as what works. */
function run({ what, amount, ...act }: Act, people: readonly Person[]): Promise<unknown> {
  const [who, whom, token] = [people[act.who], people[act.whom], tokens[act.token]];
  if (who === undefined || whom === undefined || token === undefined) throw new Error('nobody');
  made += 1;
  const staked = stakes[Number(amount) % Math.max(1, stakes.length)] ?? 'none';
  const choices = [
    () => acts.sendSol(who, whom, amount),
    () => acts.sendToken(token, who, whom, amount % 500n),
    () => acts.sendToken(token, who, whom, amount % 500n),
    () => acts.burn(token, who, amount % 100n),
    () => acts.closeAccount(token, who, whom),
    () => acts.openAccount(token, who, whom),
    () => acts.wrap(who, amount, `wrapped ${made}`),
    () => {
      stakes.push(`stake ${made}`);
      return acts.stake(who, amount, `stake ${made}`);
    },
    async () => acts.unstake(who, await personOf(staked), amount / 10n),
    async () =>
      acts.pay(who, [
        make.transferSol({ from: who.at, to: whom.at, amount: amount % 1_000n }),
        make.closeAccount({ ...token, account: await acts.accountOf(token, who), owner: who.at, to: whom.at }),
      ]),
  ];
  return (choices[what] ?? choices[0])?.() ?? Promise.resolve();
}

test('whatever happens, the entries of a wallet add up to the change of what it holds, and what goes between two of ours to nothing', async () => {
  const [balances, transfers] = [createSource([node.rpcUrl]), createTransferSource([node.rpcUrl])];
  await fc.assert(
    fc.asyncProperty(fc.array(actArbitrary, { minLength: 5, maxLength: 25 }), async (list) => {
      stakes = [];
      const people = await Promise.all(['x', 'y', 'z'].map((name) => personOf(`${name} ${node.slot()}`)));
      for (const { at } of people) {
        node.setSol(at, 20n * SOL);
        for (const { mint } of tokens) await node.mintTo(mint, at, 1_000n);
      }
      const before = await Promise.all(people.map((person) => holdingsOf(balances, person)));
      const from = node.slot() + 1n;
      for (const act of list) await run(act, people);
      const ledgers = await Promise.all(people.map((person) => readThrough(transfers, person, from)));
      for (const [index, person] of people.entries()) {
        const moved = changeOf(before[index] ?? {}, await holdingsOf(balances, person));
        expect(withoutZeros(sumOf(ledgers[index] ?? []))).toEqual(moved);
      }
      const ours = new Set<string>(people.map(({ at }) => at));
      const between = ledgers.flat().filter(({ counterparty }) => counterparty !== null && ours.has(counterparty));
      expect(withoutZeros(sumOf(between))).toEqual({});
      const references = ledgers.map((ledger) => new Set(ledger.map(({ reference }) => reference)).size);
      expect(references).toEqual(ledgers.map(({ length }) => length));
    }),
    { numRuns: RUNS },
  );
}, 60_000);
