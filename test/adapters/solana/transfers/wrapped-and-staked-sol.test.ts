import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
import { brief, createTransferWorld, FEE, SOL, type TransferWorld } from './transfer-people.ts';
import { NATIVE_MINT, personOf, STAKE_RENT, sumOf, TOKEN_RENT, type Token } from './transfer-setup.ts';

let world: TransferWorld;
beforeAll(async () => {
  world = await createTransferWorld();
});
beforeEach(() => world.node.setProgramSearch(true));
afterAll(() => world?.node.stop());

describe('what is SOL as well', () => {
  test('wrapping moves the rent alone, and wrapped SOL sent is SOL', async () => {
    const [ann, ben] = await world.twoPeople();
    const [wrapped] = await world.ledgerOf(
      [ann],
      async () => void (await world.acts.wrap(ann, 2n * SOL, `wrapped ${world.made()}`)),
    );
    expect(sumOf(wrapped ?? [])).toEqual({ native: -2n * FEE - TOKEN_RENT });
    const own = await personOf(`wrapped ${world.made()}`);
    const theirs = await world.acts.wrap(ben, 1n, `wrapped by other ${world.made()}`);
    const wsol: Token = { kind: 'spl', mint: NATIVE_MINT, decimals: 9 };
    const [sent, got] = await world.ledgerOf([ann, ben], () =>
      world.acts.pay(ann, [make.transferToken({ ...wsol, from: own.at, to: theirs.at, owner: ann.at, amount: SOL })]),
    );
    expect(brief(sent)).toEqual([
      ['fee', null, -FEE, null],
      ['transfer', null, -SOL, ben.at],
    ]);
    expect(brief(got)).toEqual([['transfer', null, SOL, ann.at]]);
    const [unwrapped] = await world.ledgerOf([ann], () =>
      world.acts.pay(ann, [make.closeAccount({ kind: 'spl', account: own.at, owner: ann.at, to: ann.at })]),
    );
    expect(sumOf(unwrapped ?? [])).toEqual({ native: TOKEN_RENT - FEE });
  });

  test('SOL sent to an account of wrapped SOL counts when it is wrapped', async () => {
    const [ann, ben] = await world.twoPeople();
    const own = await world.acts.wrap(ann, 5n, `later ${world.made()}`);
    const [sent] = await world.ledgerOf([ann], () => world.acts.sendSol(ben, own, 70n));
    expect(sent).toEqual([]);
    const [synced] = await world.ledgerOf([ann], () => world.acts.pay(ben, [make.syncNative(own.at)]));
    expect(brief(synced)).toEqual([['transfer', null, 70n, own.at]]);
  });

  test('staking and unstaking move nothing but the fees', async () => {
    const [ann] = await world.twoPeople();
    const [mine] = await world.ledgerOf([ann], async () => {
      const stake = await world.acts.stake(ann, 3n * SOL, `stake ${world.made()}`);
      await world.acts.unstake(ann, stake, SOL);
      // Closed, so that nobody lists it any more.
      await world.acts.unstake(ann, stake, 2n * SOL);
    });
    expect(brief(mine)).toEqual([
      ['fee', null, -FEE, null],
      ['fee', null, -FEE, null],
      ['fee', null, -2n * FEE, null],
    ]);
  });

  test('a stake that is given away leaves with all that is in it', async () => {
    const [ann, ben] = await world.twoPeople();
    const stake = await world.acts.stake(ann, 3n * SOL, `given ${world.made()}`);
    const [mine, theirs] = await world.ledgerOf([ann, ben], () =>
      world.acts.pay(ann, [make.passStake({ stake: stake.at, owner: ann.at, to: ben.at })]),
    );
    expect(sumOf(mine ?? [])).toEqual({ native: -3n * SOL - FEE });
    expect(sumOf(theirs ?? [])).toEqual({ native: 3n * SOL });
  });

  test('where endpoints do not tell stake, what is staked leaves', async () => {
    world.node.setProgramSearch(false);
    const [ann] = await world.twoPeople();
    const [mine] = await world.ledgerOf([ann], () => world.acts.stake(ann, STAKE_RENT + SOL, `untold ${world.made()}`));
    const stake = await personOf(`untold ${world.made()}`);
    expect(brief(mine)).toEqual([
      ['fee', null, -2n * FEE, null],
      ['transfer', null, -STAKE_RENT - SOL, stake.at],
    ]);
  });
});
