import { address } from '@solana/kit';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
import { STAKE_PROGRAM } from '../../../../src/adapters/solana/programs.ts';
import { bytesOfAddress } from '../../../../src/adapters/solana/solana-address.ts';
import { START } from '../solana-setup.ts';
import { brief, createTransferWorld, FEE, SOL, type TransferWorld } from './transfer-people.ts';
import { personOf, queryOf, readOne, STAKE_RENT, TOKEN_RENT, type Token } from './transfer-setup.ts';

let world: TransferWorld;
beforeAll(async () => {
  world = await createTransferWorld();
});
beforeEach(() => world.node.setProgramSearch(true));
afterAll(() => world?.node.stop());

describe('what moves', () => {
  test('SOL goes from one to another, and the fee is an entry of its own', async () => {
    const [ann, ben] = await world.twoPeople();
    const [mine, theirs] = await world.ledgerOf([ann, ben], () => world.acts.sendSol(ann, ben, 3n * SOL));
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -3n * SOL, ben.at],
    ]);
    expect(brief(theirs)).toEqual([['transfer', null, 3n * SOL, ann.at]]);
    const { signature } = world.node.transactions.at(-1) ?? {};
    const at = { txHash: signature, blockNumber: world.node.slot(), occurredAt: new Date(Number(START) * 1000) };
    for (const entry of [...(mine ?? []), ...(theirs ?? [])]) expect(entry).toMatchObject(at);
    expect(new Set(mine?.map(({ reference }) => reference)).size).toBe(2);
  });

  test('a token goes from one to another, who is named though the transaction names their account alone', async () => {
    const [ann, ben] = await world.twoPeople();
    const [from, to] = [await world.acts.accountOf(world.dollar, ann), await world.acts.accountOf(world.dollar, ben)];
    const [mine, theirs] = await world.ledgerOf([ann, ben], () =>
      world.acts.pay(ann, [make.transferToken({ ...world.dollar, from, to, owner: ann.at, amount: 7n })]),
    );
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', world.dollar.mint, -7n, ben.at],
    ]);
    expect(brief(theirs)).toEqual([['transfer', world.dollar.mint, 7n, ann.at]]);
  });

  test("a token's own fee is a fee, so that what goes from one to the other is the same at both ends", async () => {
    const [ann, ben] = await world.twoPeople();
    const [mine, theirs] = await world.ledgerOf([ann, ben], () => world.acts.sendToken(world.taxed, ann, ben, 1_000n));
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', world.taxed.mint, -950n, ben.at],
      ['fee', world.taxed.mint, -50n, null],
    ]);
    expect(brief(theirs)).toEqual([['transfer', world.taxed.mint, 950n, ann.at]]);
  });

  test('the rent of a new account leaves with the account as the other end, and comes back when it is closed', async () => {
    const [ann, ben] = await world.twoPeople();
    const other: Token = {
      ...world.dollar,
      mint: address(await world.node.createMint(`other ${world.made()}`, { kind: 'spl', decimals: 0 })),
    };
    const account = await world.acts.accountOf(other, ben);
    const [opened] = await world.ledgerOf([ann, ben], async () => {
      await world.acts.pay(ann, [make.transferSol({ from: ann.at, to: ben.at, amount: SOL })]);
      await world.acts.openAccount(other, ann, ben);
    });
    expect(brief(opened).slice(0, 2)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -TOKEN_RENT, account],
    ]);
    const [, closed] = await world.ledgerOf([ann, ben], () => world.acts.closeAccount(other, ben));
    expect(brief(closed)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, TOKEN_RENT, account],
    ]);
  });

  test('what one pays to several at a time is told for each of them', async () => {
    const [ann, ben] = await world.twoPeople();
    const [cid] = await world.twoPeople();
    const [mine, theirs, others] = await world.ledgerOf([ann, ben, cid], () =>
      world.acts.pay(ann, [
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
    const [ann, ben] = await world.twoPeople();
    const [mine, theirs] = await world.ledgerOf([ann, ben], () => world.acts.sendSol(ann, ben, 500n * SOL));
    expect(world.node.transactions.at(-1)?.err).not.toBeNull();
    expect(brief(mine)).toEqual([['fee', null, -FEE, null]]);
    expect(theirs).toEqual([]);
  });

  test('what is burnt goes to nobody, and what is minted comes from nobody', async () => {
    const [ann] = await world.twoPeople();
    const [mine] = await world.ledgerOf([ann], async () => {
      await world.acts.burn(world.dollar, ann, 9n);
      await world.node.mintMore(world.dollar.mint, await world.acts.accountOf(world.dollar, ann), 4n);
    });
    expect(brief(mine)).toEqual([
      ['transfer', world.dollar.mint, 4n, null],
      ['fee', null, -FEE, null],
      ['transfer', world.dollar.mint, -9n, null],
    ]);
  });
});

describe('where it stands', () => {
  test('in transactions of version 1, and with accounts that a lookup table names', async () => {
    const [ann, ben] = await world.twoPeople();
    const instructions = [make.transferSol({ from: ann.at, to: ben.at, amount: 5n })];
    const [newer] = await world.ledgerOf([ann, ben], () => world.node.transact({ payer: ann.seed, instructions, version: 1 }));
    expect(brief(newer).at(-1)).toEqual(['transfer', null, -5n, ben.at]);
    const table = world.node.address(`table ${world.made()}`);
    const header = Buffer.alloc(56);
    header.writeUInt32LE(1);
    header.fill(0xff, 4, 12);
    const data = Buffer.concat([header, Buffer.from(bytesOfAddress(ben.at))]);
    world.node.setData(table, 'AddressLookupTab1e1111111111111111111111111', data);
    const tables = { [table]: [ben.at] };
    const [mine, theirs] = await world.ledgerOf([ann, ben], () => world.node.transact({ payer: ann.seed, instructions, tables }));
    expect(world.node.transactions.at(-1)?.transaction).toMatchObject({
      message: { addressTableLookups: [{ accountKey: table }] },
    });
    expect(brief(mine).at(-1)).toEqual(['transfer', null, -5n, ben.at]);
    expect(brief(theirs)).toEqual([['transfer', null, 5n, ann.at]]);
  });

  test("in accounts that are closed since, or somebody else's, though what came to them names them alone", async () => {
    const [ann, ben] = await world.twoPeople();
    const [source, target] = [await world.acts.accountOf(world.dollar, ann), await world.acts.accountOf(world.dollar, ben)];
    const token: Token = {
      ...world.dollar,
      mint: address(await world.node.createMint(`gift ${world.made()}`, { kind: 'spl', decimals: 0 })),
    };
    const gift = await world.node.mintTo(token.mint, ben.at, 3n);
    const [, closed] = await world.ledgerOf([ann, ben], async () => {
      await world.acts.pay(ann, [make.transferToken({ ...world.dollar, from: source, to: target, owner: ann.at, amount: 8n })]);
      await world.node.mintMore(token.mint, gift, 2n);
      const back = { ...world.dollar, from: target, to: source, owner: ben.at, amount: 1_000_000_008n };
      await world.acts.pay(ben, [make.transferToken(back)]);
      await world.acts.closeAccount(world.dollar, ben);
      await world.acts.pay(ben, [make.giveAway({ ...token, account: address(gift), owner: ben.at, to: ann.at })]);
    });
    const ofTokens = brief(closed).filter((entry) => Array.isArray(entry) && entry[1] !== null);
    expect(ofTokens).toEqual([
      ['transfer', token.mint, -5n, ann.at],
      ['transfer', world.dollar.mint, -1_000_000_008n, ann.at],
      ['transfer', token.mint, 2n, null],
      ['transfer', world.dollar.mint, 8n, ann.at],
    ]);
  });

  test('in stakes that are gone since: split, merged and emptied', async () => {
    const [ann, ben] = await world.twoPeople();
    const [whole, part] = [
      await world.acts.stake(ann, 4n * SOL, `whole ${world.made()}`),
      await personOf(`part ${world.made()}`),
    ];
    await world.ledgerOf([ann, ben], async () => {
      const program = address(STAKE_PROGRAM);
      const room = { from: ann.at, to: part.at, amount: STAKE_RENT, size: make.STAKE_SIZE, program };
      const split = make.splitStake({ stake: whole.at, owner: ann.at, into: part.at, amount: SOL });
      await world.acts.pay(ann, [make.createAccount(room), split], [part.seed]);
      // Tips come without the wallet.
      await world.acts.sendSol(ben, part, 9n);
      await world.acts.pay(ann, [make.mergeStake({ stake: whole.at, owner: ann.at, from: part.at })]);
      const all = 4n * SOL + STAKE_RENT + 9n;
      await world.acts.pay(ann, [make.withdrawStake({ stake: whole.at, owner: ann.at, to: ben.at, amount: all })]);
    });
    expect(world.node.transactions.slice(-4).map(({ err }) => err)).toEqual([null, null, null, null]);
  });

  test('in a range of the past, to the last slot of it, also where an account was closed after it', async () => {
    const [ann, ben] = await world.twoPeople();
    const from = world.node.slot() + 1n;
    const [source, target] = [await world.acts.accountOf(world.dollar, ann), await world.acts.accountOf(world.dollar, ben)];
    await world.acts.pay(ann, [make.transferToken({ ...world.dollar, from: source, to: target, owner: ann.at, amount: 8n })]);
    const toBlock = world.node.slot();
    const back = { ...world.dollar, from: target, to: source, owner: ben.at, amount: 1_000_000_008n };
    await world.acts.pay(ben, [
      make.transferToken(back),
      make.closeAccount({ ...world.dollar, account: target, owner: ben.at, to: ben.at }),
    ]);
    const told = await readOne(world.transfers, { ...queryOf(ben, from), toBlock });
    expect(brief(told.transfers)).toEqual([['transfer', world.dollar.mint, 8n, ann.at]]);
    expect(told).toMatchObject({ through: { number: toBlock, hash: null }, cursor: null });
  });
});
