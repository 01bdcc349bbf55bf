import { type Address, address } from '@solana/kit';
import {
  associatedAccount,
  createAssociatedAccount,
  initializeAccount,
  type TokenProgram,
} from '../../../../localnet/solana/instructions.ts';
import type { SolanaNode } from '../../../../localnet/solana/solana-node.ts';
import * as make from '../../../../localnet/solana/transfer-instructions.ts';
import { walletOf } from '../../../../localnet/solana/vm.ts';
import type { BalanceSource } from '../../../../src/adapters/balance-source.ts';
import { STAKE_PROGRAM, TOKEN_PROGRAM } from '../../../../src/adapters/solana/programs.ts';
import { createSolanaTransferSource } from '../../../../src/adapters/solana/transfers/solana-transfer-source.ts';
import type { TransferQuery, TransferReading, TransferSource } from '../../../../src/adapters/transfer-source.ts';
import type { Transfer } from '../../../../src/domain/ledger/ledger.ts';
import { createPool, LOCAL_CLUSTER, read, signal } from '../solana-setup.ts';

/** A wallet that can sign, by the seed of its key. */
export type Person = { readonly seed: string; readonly at: Address };

export async function personOf(seed: string): Promise<Person> {
  return { seed, at: await walletOf(seed) };
}

export type Token = { readonly kind: TokenProgram; readonly mint: Address; readonly decimals: number };

export function createTransferSource(urls: readonly string[], timeoutMs?: number): TransferSource {
  return createSolanaTransferSource({ chain: LOCAL_CLUSTER, pool: createPool(urls, timeoutMs) });
}

export function queryOf(person: Person, fromBlock: bigint, cursor: string | null = null): TransferQuery {
  return { walletId: person.seed, address: person.at, fromBlock, toBlock: null, cursor };
}

export type Told = Extract<TransferReading, { status: 'ok' }>;

export async function readOne(source: TransferSource, query: TransferQuery): Promise<Told> {
  const [reading] = await source.readTransfers([query], { signal, tokens: new Set() });
  if (reading?.status !== 'ok') throw new Error(`transfers of ${query.walletId}: ${reading?.error.code}`);
  return reading;
}

/** All transfers of a person since a slot, in as many calls as it takes. */
export async function readThrough(source: TransferSource, person: Person, fromBlock: bigint): Promise<readonly Transfer[]> {
  const transfers: Transfer[] = [];
  let cursor: string | null = null;
  do {
    const told: Told = await readOne(source, queryOf(person, fromBlock, cursor));
    transfers.push(...told.transfers);
    cursor = told.cursor;
  } while (cursor !== null);
  return transfers;
}

/** What transfers add up to by asset: `native` or the mint. */
export function sumOf(transfers: readonly Transfer[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {};
  for (const { asset, amountRaw } of transfers)
    sums[asset.address ?? 'native'] = (sums[asset.address ?? 'native'] ?? 0n) + amountRaw;
  return sums;
}

/** What the balance source tells, over all positions, by asset. */
export async function holdingsOf(source: BalanceSource, person: Person): Promise<Record<string, bigint>> {
  const reading = await read(source, [person.at]);
  const sums: Record<string, bigint> = {};
  for (const entry of reading.addresses) {
    if (entry.status === 'unsupported') continue;
    if (entry.status !== 'ok') throw new Error(`${entry.kind}: ${entry.error.code}`);
    for (const one of entry.readings) {
      if (one.status !== 'ok') throw new Error(`${one.asset.address}: ${one.error.code}`);
      sums[one.asset.address ?? 'native'] = (sums[one.asset.address ?? 'native'] ?? 0n) + one.amountRaw;
    }
  }
  return sums;
}

/** The differences that are not zero. */
export function changeOf(before: Record<string, bigint>, after: Record<string, bigint>): Record<string, bigint> {
  return withoutZeros(
    Object.fromEntries(
      [...Object.keys(before), ...Object.keys(after)].map((key) => [key, (after[key] ?? 0n) - (before[key] ?? 0n)]),
    ),
  );
}

export function withoutZeros(sums: Record<string, bigint>): Record<string, bigint> {
  return Object.fromEntries(Object.entries(sums).filter(([, amount]) => amount !== 0n));
}

/** What people do on a local node, each as one transaction that they pay themselves. */
export function createActs(node: SolanaNode) {
  const pay = (
    payer: Person,
    instructions: Parameters<SolanaNode['transact']>[0]['instructions'],
    signers: readonly string[] = [],
  ) => node.transact({ payer: payer.seed, signers, instructions });
  const accountOf = ({ kind, mint }: Token, { at: owner }: Person): Promise<Address> => associatedAccount({ kind, mint, owner });
  return {
    pay,
    accountOf,
    sendSol: (from: Person, to: Person, amount: bigint) => pay(from, [make.transferSol({ from: from.at, to: to.at, amount })]),
    /** With the receiver's account, if there is none yet. */
    async sendToken(token: Token, from: Person, to: Person, amount: bigint) {
      const [source, target] = [await accountOf(token, from), await accountOf(token, to)];
      const open = createAssociatedAccount(from.at, target, { ...token, owner: to.at });
      return pay(from, [open, make.transferToken({ ...token, from: source, to: target, owner: from.at, amount })]);
    },
    async openAccount(token: Token, payer: Person, owner: Person) {
      return pay(payer, [createAssociatedAccount(payer.at, await accountOf(token, owner), { ...token, owner: owner.at })]);
    },
    async closeAccount(token: Token, owner: Person, to: Person = owner) {
      const account = await accountOf(token, owner);
      return pay(owner, [make.closeAccount({ ...token, account, owner: owner.at, to: to.at })]);
    },
    async burn(token: Token, owner: Person, amount: bigint) {
      return pay(owner, [make.burn({ ...token, account: await accountOf(token, owner), owner: owner.at, amount })]);
    },
    /** Into a new account that is not the associated one. */
    async wrap(owner: Person, amount: bigint, seed: string) {
      const account = await personOf(seed);
      const instructions = [
        make.createAccount({
          from: owner.at,
          to: account.at,
          amount: amount + TOKEN_RENT,
          size: 165,
          program: address(TOKEN_PROGRAM),
        }),
        initializeAccount('spl', account.at, NATIVE_MINT, owner.at),
      ];
      await pay(owner, instructions, [seed]);
      return account;
    },
    async stake(owner: Person, amount: bigint, seed: string) {
      const stake = await personOf(seed);
      const size = make.STAKE_SIZE;
      const instructions = [
        make.createAccount({ from: owner.at, to: stake.at, amount, size, program: address(STAKE_PROGRAM) }),
        make.initializeStake(stake.at, owner.at),
      ];
      await pay(owner, instructions, [seed]);
      return stake;
    },
    unstake: (owner: Person, stake: Person, amount: bigint) =>
      pay(owner, [make.withdrawStake({ stake: stake.at, owner: owner.at, to: owner.at, amount })]),
  };
}

export const NATIVE_MINT = address('So11111111111111111111111111111111111111112');
/** What a token account of 165 bytes must hold. */
export const TOKEN_RENT = 2_039_280n;
export const STAKE_RENT = 2_282_880n;
