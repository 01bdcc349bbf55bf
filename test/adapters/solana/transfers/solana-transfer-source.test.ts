import { address } from '@solana/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { extensions } from '../../../../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../../../../localnet/solana/solana-node.ts';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
import type { BalanceSource } from '../../../../src/adapters/balance-source.ts';
import { STAKE_PROGRAM } from '../../../../src/adapters/solana/programs.ts';
import { bytesOfAddress } from '../../../../src/adapters/solana/solana-address.ts';
import type { TransferSource } from '../../../../src/adapters/transfer-source.ts';
import type { Transfer } from '../../../../src/domain/ledger/ledger.ts';
import { createSource, LOCAL_CLUSTER, START } from '../solana-setup.ts';
import {
  changeOf,
  createActs,
  createTransferSource,
  holdingsOf,
  NATIVE_MINT,
  type Person,
  personOf,
  queryOf,
  readOne,
  readThrough,
  STAKE_RENT,
  sumOf,
  TOKEN_RENT,
  type Token,
  withoutZeros,
} from './transfer-setup.ts';

const SOL = 1_000_000_000n;
const FEE = 5_000n;

let node: SolanaNode;
let acts: ReturnType<typeof createActs>;
let balances: BalanceSource;
let transfers: TransferSource;
let dollar: Token;
let taxed: Token;
let made = 0;

beforeAll(async () => {
  node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  acts = createActs(node);
  dollar = { kind: 'spl', decimals: 6, mint: address(await node.createMint('dollar', { kind: 'spl', decimals: 6 })) };
  const mint = await node.createMint('taxed', { kind: 'spl-2022', decimals: 2, extensions: [extensions.transferFee(500)] });
  taxed = { kind: 'spl-2022', decimals: 2, mint: address(mint) };
});
beforeEach(() => {
  node.setProgramSearch(true);
  balances = createSource([node.rpcUrl]);
  transfers = createTransferSource([node.rpcUrl]);
});
afterAll(() => node?.stop());

/** Two new people with ten SOL, a thousand dollars and ten thousand cents of the taxed token each. */
async function twoPeople(): Promise<readonly [Person, Person]> {
  made += 1;
  const people = await Promise.all([personOf(`first ${made}`), personOf(`second ${made}`)] as const);
  for (const { at } of people) {
    node.setSol(at, 10n * SOL);
    await node.mintTo(dollar.mint, at, 1_000_000_000n);
    await node.mintTo(taxed.mint, at, 10_000n);
  }
  return people;
}

/** What somebody does, as the ledger tells it for each of two people; what it tells must be what their balances moved by. */
async function ledgerOf(people: readonly Person[], act: () => Promise<unknown>): Promise<readonly (readonly Transfer[])[]> {
  const from = node.slot() + 1n;
  const before = await Promise.all(people.map((person) => holdingsOf(balances, person)));
  await act();
  const ledgers = await Promise.all(people.map((person) => readThrough(transfers, person, from)));
  for (const [index, person] of people.entries()) {
    const moved = changeOf(before[index] ?? {}, await holdingsOf(balances, person));
    expect(withoutZeros(sumOf(ledgers[index] ?? []))).toEqual(moved);
  }
  return ledgers;
}

/** Without what is the same everywhere. */
function brief(ledger: readonly Transfer[] | undefined): readonly unknown[] {
  return (ledger ?? []).map(({ asset, kind, amountRaw, counterparty }) => [kind, asset.address, amountRaw, counterparty]);
}

describe('what moves', () => {
  test('SOL goes from one to another, and the fee is an entry of its own', async () => {
    const [ann, ben] = await twoPeople();
    const [mine, theirs] = await ledgerOf([ann, ben], () => acts.sendSol(ann, ben, 3n * SOL));
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -3n * SOL, ben.at],
    ]);
    expect(brief(theirs)).toEqual([['transfer', null, 3n * SOL, ann.at]]);
    const { signature } = node.transactions.at(-1) ?? {};
    const at = { txHash: signature, blockNumber: node.slot(), occurredAt: new Date(Number(START) * 1000) };
    for (const entry of [...(mine ?? []), ...(theirs ?? [])]) expect(entry).toMatchObject(at);
    expect(new Set(mine?.map(({ reference }) => reference)).size).toBe(2);
  });

  test('a token goes from one to another, who is named though the transaction names their account alone', async () => {
    const [ann, ben] = await twoPeople();
    const [from, to] = [await acts.accountOf(dollar, ann), await acts.accountOf(dollar, ben)];
    const [mine, theirs] = await ledgerOf([ann, ben], () =>
      acts.pay(ann, [make.transferToken({ ...dollar, from, to, owner: ann.at, amount: 7n })]),
    );
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', dollar.mint, -7n, ben.at],
    ]);
    expect(brief(theirs)).toEqual([['transfer', dollar.mint, 7n, ann.at]]);
  });

  test("a token's own fee is a fee, so that what goes from one to the other is the same at both ends", async () => {
    const [ann, ben] = await twoPeople();
    const [mine, theirs] = await ledgerOf([ann, ben], () => acts.sendToken(taxed, ann, ben, 1_000n));
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', taxed.mint, -950n, ben.at],
      ['fee', taxed.mint, -50n, null],
    ]);
    expect(brief(theirs)).toEqual([['transfer', taxed.mint, 950n, ann.at]]);
  });

  test('the rent of a new account leaves with the account as the other end, and comes back when it is closed', async () => {
    const [ann, ben] = await twoPeople();
    const other: Token = { ...dollar, mint: address(await node.createMint(`other ${made}`, { kind: 'spl', decimals: 0 })) };
    const account = await acts.accountOf(other, ben);
    const [opened] = await ledgerOf([ann, ben], async () => {
      await acts.pay(ann, [make.transferSol({ from: ann.at, to: ben.at, amount: SOL })]);
      await acts.openAccount(other, ann, ben);
    });
    expect(brief(opened).slice(0, 2)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -TOKEN_RENT, account],
    ]);
    const [, closed] = await ledgerOf([ann, ben], () => acts.closeAccount(other, ben));
    expect(brief(closed)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, TOKEN_RENT, account],
    ]);
  });

  test('what one pays to several at a time is told for each of them', async () => {
    const [ann, ben] = await twoPeople();
    const [cid] = await twoPeople();
    const [mine, theirs, others] = await ledgerOf([ann, ben, cid], () =>
      acts.pay(ann, [
        make.transferSol({ from: ann.at, to: ben.at, amount: 5n }),
        make.transferSol({ from: ann.at, to: cid.at, amount: 6n }),
      ]),
    );
    expect(brief(mine).toSorted()).toEqual(
      [
        ['fee', null, -FEE, null],
        ['transfer', null, -5n, ben.at],
        ['transfer', null, -6n, cid.at],
      ].toSorted(),
    );
    expect(brief(theirs)).toEqual([['transfer', null, 5n, ann.at]]);
    expect(brief(others)).toEqual([['transfer', null, 6n, ann.at]]);
  });

  test('a transaction that failed costs its fee, and nothing to who is only named', async () => {
    const [ann, ben] = await twoPeople();
    const [mine, theirs] = await ledgerOf([ann, ben], () => acts.sendSol(ann, ben, 500n * SOL));
    expect(node.transactions.at(-1)?.err).not.toBeNull();
    expect(brief(mine)).toEqual([['fee', null, -FEE, null]]);
    expect(theirs).toEqual([]);
  });

  test('what is burnt goes to nobody, and what is minted comes from nobody', async () => {
    const [ann] = await twoPeople();
    const [mine] = await ledgerOf([ann], async () => {
      await acts.burn(dollar, ann, 9n);
      await node.mintMore(dollar.mint, await acts.accountOf(dollar, ann), 4n);
    });
    expect(brief(mine)).toEqual([
      ['transfer', dollar.mint, 4n, null],
      ['fee', null, -FEE, null],
      ['transfer', dollar.mint, -9n, null],
    ]);
  });
});

describe('where it stands', () => {
  test('in transactions of version 1, and with accounts that a lookup table names', async () => {
    const [ann, ben] = await twoPeople();
    const instructions = [make.transferSol({ from: ann.at, to: ben.at, amount: 5n })];
    const [newer] = await ledgerOf([ann, ben], () => node.transact({ payer: ann.seed, instructions, version: 1 }));
    expect(brief(newer).at(-1)).toEqual(['transfer', null, -5n, ben.at]);
    const table = node.address(`table ${made}`);
    const header = Buffer.alloc(56);
    header.writeUInt32LE(1);
    header.fill(0xff, 4, 12);
    const data = Buffer.concat([header, Buffer.from(bytesOfAddress(ben.at))]);
    node.setData(table, 'AddressLookupTab1e1111111111111111111111111', data);
    const tables = { [table]: [ben.at] };
    const [mine, theirs] = await ledgerOf([ann, ben], () => node.transact({ payer: ann.seed, instructions, tables }));
    expect(node.transactions.at(-1)?.transaction).toMatchObject({ message: { addressTableLookups: [{ accountKey: table }] } });
    expect(brief(mine).at(-1)).toEqual(['transfer', null, -5n, ben.at]);
    expect(brief(theirs)).toEqual([['transfer', null, 5n, ann.at]]);
  });

  test("in accounts that are closed since, or somebody else's, though what came to them names them alone", async () => {
    const [ann, ben] = await twoPeople();
    const [source, target] = [await acts.accountOf(dollar, ann), await acts.accountOf(dollar, ben)];
    const token: Token = { ...dollar, mint: address(await node.createMint(`gift ${made}`, { kind: 'spl', decimals: 0 })) };
    const gift = await node.mintTo(token.mint, ben.at, 3n);
    const [, closed] = await ledgerOf([ann, ben], async () => {
      await acts.pay(ann, [make.transferToken({ ...dollar, from: source, to: target, owner: ann.at, amount: 8n })]);
      await node.mintMore(token.mint, gift, 2n);
      const back = { ...dollar, from: target, to: source, owner: ben.at, amount: 1_000_000_008n };
      await acts.pay(ben, [make.transferToken(back)]);
      await acts.closeAccount(dollar, ben);
      await acts.pay(ben, [make.giveAway({ ...token, account: address(gift), owner: ben.at, to: ann.at })]);
    });
    const ofTokens = brief(closed).filter((entry) => Array.isArray(entry) && entry[1] !== null);
    expect(ofTokens).toEqual([
      ['transfer', token.mint, -5n, ann.at],
      ['transfer', dollar.mint, -1_000_000_008n, ann.at],
      ['transfer', token.mint, 2n, null],
      ['transfer', dollar.mint, 8n, ann.at],
    ]);
  });

  test('in stakes that are gone since: split, merged and emptied', async () => {
    const [ann, ben] = await twoPeople();
    const [whole, part] = [await acts.stake(ann, 4n * SOL, `whole ${made}`), await personOf(`part ${made}`)];
    await ledgerOf([ann, ben], async () => {
      const program = address(STAKE_PROGRAM);
      const room = { from: ann.at, to: part.at, amount: STAKE_RENT, size: make.STAKE_SIZE, program };
      const split = make.splitStake({ stake: whole.at, owner: ann.at, into: part.at, amount: SOL });
      await acts.pay(ann, [make.createAccount(room), split], [part.seed]);
      // Tips come without the wallet.
      await acts.sendSol(ben, part, 9n);
      await acts.pay(ann, [make.mergeStake({ stake: whole.at, owner: ann.at, from: part.at })]);
      const all = 4n * SOL + STAKE_RENT + 9n;
      await acts.pay(ann, [make.withdrawStake({ stake: whole.at, owner: ann.at, to: ben.at, amount: all })]);
    });
    expect(node.transactions.slice(-4).map(({ err }) => err)).toEqual([null, null, null, null]);
  });

  test('in a range of the past, to the last slot of it, also where an account was closed after it', async () => {
    const [ann, ben] = await twoPeople();
    const from = node.slot() + 1n;
    const [source, target] = [await acts.accountOf(dollar, ann), await acts.accountOf(dollar, ben)];
    await acts.pay(ann, [make.transferToken({ ...dollar, from: source, to: target, owner: ann.at, amount: 8n })]);
    const toBlock = node.slot();
    const back = { ...dollar, from: target, to: source, owner: ben.at, amount: 1_000_000_008n };
    await acts.pay(ben, [make.transferToken(back), make.closeAccount({ ...dollar, account: target, owner: ben.at, to: ben.at })]);
    const told = await readOne(transfers, { ...queryOf(ben, from), toBlock });
    expect(brief(told.transfers)).toEqual([['transfer', dollar.mint, 8n, ann.at]]);
    expect(told).toMatchObject({ through: { number: toBlock, hash: null }, cursor: null });
  });
});

describe('what is SOL as well', () => {
  test('wrapping moves the rent alone, and wrapped SOL sent is SOL', async () => {
    const [ann, ben] = await twoPeople();
    const [wrapped] = await ledgerOf([ann], async () => void (await acts.wrap(ann, 2n * SOL, `wrapped ${made}`)));
    expect(sumOf(wrapped ?? [])).toEqual({ native: -2n * FEE - TOKEN_RENT });
    const own = await personOf(`wrapped ${made}`);
    const theirs = await acts.wrap(ben, 1n, `wrapped by other ${made}`);
    const wsol: Token = { kind: 'spl', mint: NATIVE_MINT, decimals: 9 };
    const [sent, got] = await ledgerOf([ann, ben], () =>
      acts.pay(ann, [make.transferToken({ ...wsol, from: own.at, to: theirs.at, owner: ann.at, amount: SOL })]),
    );
    expect(brief(sent)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -SOL, ben.at],
    ]);
    expect(brief(got)).toEqual([['transfer', null, SOL, ann.at]]);
    const [unwrapped] = await ledgerOf([ann], () =>
      acts.pay(ann, [make.closeAccount({ kind: 'spl', account: own.at, owner: ann.at, to: ann.at })]),
    );
    expect(sumOf(unwrapped ?? [])).toEqual({ native: TOKEN_RENT - FEE });
  });

  test('SOL sent to an account of wrapped SOL counts when it is wrapped', async () => {
    const [ann, ben] = await twoPeople();
    const own = await acts.wrap(ann, 5n, `later ${made}`);
    const [sent] = await ledgerOf([ann], () => acts.sendSol(ben, own, 70n));
    expect(sent).toEqual([]);
    const [synced] = await ledgerOf([ann], () => acts.pay(ben, [make.syncNative(own.at)]));
    expect(brief(synced)).toEqual([['transfer', null, 70n, own.at]]);
  });

  test('staking and unstaking move nothing but the fees', async () => {
    const [ann] = await twoPeople();
    const [mine] = await ledgerOf([ann], async () => {
      const stake = await acts.stake(ann, 3n * SOL, `stake ${made}`);
      await acts.unstake(ann, stake, SOL);
      // Closed, so that nobody lists it any more.
      await acts.unstake(ann, stake, 2n * SOL);
    });
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['fee', null, -FEE, null],
      ['fee', null, -2n * FEE, null],
    ]);
  });

  test('a stake that is given away leaves with all that is in it', async () => {
    const [ann, ben] = await twoPeople();
    const stake = await acts.stake(ann, 3n * SOL, `given ${made}`);
    const [mine, theirs] = await ledgerOf([ann, ben], () =>
      acts.pay(ann, [make.passStake({ stake: stake.at, owner: ann.at, to: ben.at })]),
    );
    expect(sumOf(mine ?? [])).toEqual({ native: -3n * SOL - FEE });
    expect(sumOf(theirs ?? [])).toEqual({ native: 3n * SOL });
  });

  test('where endpoints do not tell stake, what is staked leaves', async () => {
    node.setProgramSearch(false);
    const [ann] = await twoPeople();
    const [mine] = await ledgerOf([ann], () => acts.stake(ann, STAKE_RENT + SOL, `untold ${made}`));
    const stake = await personOf(`untold ${made}`);
    expect(brief(mine)).toEqual([
      ['fee', null, -2n * FEE, null],
      ['transfer', null, -STAKE_RENT - SOL, stake.at],
    ]);
  });
});
