import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf } from '../../../../localnet/solana/vm.ts';
import { decodeBase58 } from '../../../../src/adapters/solana/base58.ts';
import { bytesOfAddress } from '../../../../src/adapters/solana/solana-address.ts';
import { type MovementWallet, readMovements } from '../../../../src/adapters/solana/transfers/transfer-movements.ts';
import {
  type ChainTransaction,
  parseTransaction,
  type TokenBalance,
} from '../../../../src/adapters/solana/transfers/transfer-transaction.ts';
import { AppError } from '../../../../src/domain/errors.ts';

const wallet = addressOf('wallet');
const second = addressOf('second');
const third = addressOf('third');
const fourth = addressOf('fourth');
const mint = addressOf('mint');
const known: MovementWallet = { address: wallet, isTokenAccount: () => false, isStake: () => false, hasStake: true };

/** A transaction of these changes of SOL, paid for by nobody. */
function solMoves(changes: Readonly<Record<string, bigint>>): ChainTransaction {
  const keys = Object.keys(changes);
  return {
    signature: 'signature',
    slot: 5n,
    blockTime: 1n,
    fee: 0n,
    keys,
    preLamports: keys.map(() => 1_000n),
    postLamports: keys.map((key) => 1_000n + (changes[key] ?? 0n)),
    preTokens: [],
    postTokens: [],
    stakeSteps: [],
  };
}

function told(transaction: ChainTransaction, of = known): readonly unknown[] {
  const movements = readMovements(transaction, of, { chain: 'solana', occurredAt: new Date(0) });
  return movements.map(({ kind, amountRaw, counterparty }) => [kind, amountRaw, counterparty]);
}

describe('the other end', () => {
  it('is not known where several gave and several gained', () => {
    expect(told(solMoves({ [wallet]: -5n, [second]: -5n, [third]: 4n, [fourth]: 6n }))).toEqual([['transfer', -5n, null]]);
  });

  it('is the one who gained, whoever else gave', () => {
    expect(told(solMoves({ [wallet]: -5n, [second]: -5n, [third]: 10n }))).toEqual([['transfer', -5n, third]]);
  });

  it('is each of those who gave where only the wallet gained', () => {
    expect(told(solMoves({ [wallet]: 10n, [second]: -4n, [third]: -6n }))).toEqual([
      ['transfer', 4n, second],
      ['transfer', 6n, third],
    ]);
  });
});

describe('old transactions, which do not say whose a token account is', () => {
  const balance = (amountRaw: bigint, account: string): TokenBalance => ({ account, mint, owner: null, amountRaw });
  const moved = { ...solMoves({}), preTokens: [balance(5n, second), balance(0n, third)] };
  const transaction = { ...moved, postTokens: [balance(2n, second), balance(3n, third)] };

  it("are counted for accounts that are known to be the wallet's", () => {
    expect(told(transaction)).toEqual([]);
    expect(told(transaction, { ...known, isTokenAccount: (at) => at === second })).toEqual([['transfer', -3n, third]]);
  });
});

describe('answers', () => {
  const good = {
    slot: 5n,
    blockTime: 7n,
    transaction: { signatures: ['s'], message: { accountKeys: [wallet, second], instructions: [] } },
    meta: { fee: 5n, err: null, preBalances: [10n, 0n], postBalances: [4n, 1n] },
  };

  it('of the shortest form are read', () => {
    expect(parseTransaction(good, 's', 'node')).toMatchObject({ slot: 5n, fee: 5n, keys: [wallet, second], stakeSteps: [] });
  });

  it.each<[string, unknown]>([
    ['another signature', { ...good, transaction: { ...good.transaction, signatures: ['t'] } }],
    ['too few balances', { ...good, meta: { ...good.meta, preBalances: [10n] } }],
    [
      'an account that is none',
      { ...good, transaction: { ...good.transaction, message: { accountKeys: ['x'], instructions: [] } } },
    ],
    ['no meta', { ...good, meta: null }],
    ['more lamports than there can be', { ...good, meta: { ...good.meta, postBalances: [2n ** 64n, 0n] } }],
    ['a time before 1970', { ...good, blockTime: -1n }],
    [
      'a balance of an account that it does not name',
      {
        ...good,
        meta: { ...good.meta, preTokenBalances: [{ accountIndex: 9n, mint, owner: wallet, uiTokenAmount: { amount: '5' } }] },
      },
    ],
  ])('with %s are refused', (_, answer) => {
    expect(() => parseTransaction(answer, 's', 'node')).toThrow(expect.objectContaining({ code: 'upstream_malformed' }));
  });

  it('of any other form are refused in the same way', () => {
    fc.assert(
      fc.property(fc.anything({ withBigInt: true }), fc.constantFrom('meta', 'transaction', 'slot'), (value, key) => {
        try {
          parseTransaction({ ...good, [key]: value }, 's', 'node');
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
        }
      }),
    );
  });
});

it('reads base58, and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), (seed) => {
      expect(decodeBase58(addressOf(seed))).toEqual(Buffer.from(bytesOfAddress(addressOf(seed))));
    }),
  );
  expect(decodeBase58('11')).toEqual(Buffer.alloc(2));
  expect(decodeBase58('0OIl')).toEqual(Buffer.alloc(0));
});
