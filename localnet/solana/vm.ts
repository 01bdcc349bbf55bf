import { createHash } from 'node:crypto';
import {
  type Address,
  createKeyPairSignerFromPrivateKeyBytes,
  type EncodedAccount,
  getAddressDecoder,
  type Instruction,
  type KeyPairSigner,
  lamports,
  type Transaction,
} from '@solana/kit';
import { Clock, FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { signTransaction, type Unsigned } from './sign-transaction.ts';
import { type TransactionRecord, watchTransaction } from './transaction-record.ts';

/** What a transaction of somebody's own is made of. */
export type Transact = Omit<Unsigned, 'signers'> & {
  /** Who pays the fee, by the seed of `walletOf`. */
  readonly payer: string;
  /** Seeds of the others who sign. */
  readonly signers?: readonly string[];
  /** In the slot of the one before. */
  readonly isSameSlot?: boolean;
};

/** The real Solana VM in this process: accounts, transactions and a clock. Equal seeds give equal addresses. */
export type Vm = {
  readonly payer: Address;
  slot(): bigint;
  /** Sets the chain's clock; a slot goes by. */
  setTime(unixSeconds: bigint): void;
  /** Signs, sends and runs the instructions as one transaction. Throws with the program's words when it fails. */
  send(instructions: readonly Instruction[]): Promise<void>;
  /** Runs a transaction of wallets that `walletOf` made, and tells what came of it; one that fails costs its fee. */
  transact(transaction: Transact): Promise<TransactionRecord>;
  /** All that was run, oldest first. */
  readonly transactions: readonly TransactionRecord[];
  /** The data that a transaction would return. It changes nothing. */
  simulate(instructions: readonly Instruction[]): Promise<Buffer>;
  /** Puts an account in place without a transaction; with no lamports given, as many as its rent asks for. */
  setAccount(at: Address, program: Address, data: Uint8Array, amount?: bigint): void;
  /** The account, undefined where there is none. */
  getAccount(at: Address): EncodedAccount | undefined;
  /** All accounts of a program. */
  accountsOf(program: Address): readonly EncodedAccount[];
};

/** An address that nobody has the key of. */
export function addressOf(seed: string): Address {
  return getAddressDecoder().decode(digestOf(`address ${seed}`));
}

/** The address of a key pair, as wallets have them. */
export async function walletOf(seed: string): Promise<Address> {
  return (await signerOf(seed)).address;
}

function signerOf(seed: string): Promise<KeyPairSigner> {
  return createKeyPairSignerFromPrivateKeyBytes(digestOf(seed));
}

function digestOf(seed: string): Uint8Array {
  return createHash('sha256').update(`chainfolio localnet ${seed}`).digest();
}

/** Starts a VM whose clock stands at `unixSeconds`. */
export async function createVm(unixSeconds: bigint): Promise<Vm> {
  const svm = new LiteSVM().withNativeMints();
  const payer = await signerOf('payer');
  svm.airdrop(payer.address, lamports(100_000_000_000_000n));
  // The VM has no index by program: it looks through all accounts, so what it found is kept until something changes.
  const byProgram = new Map<Address, readonly EncodedAccount[]>();

  const setClock = (slot: bigint, unixTime: bigint): void => svm.setClock(new Clock(slot, unixTime, 0n, 0n, unixTime));
  const getAccount = (at: Address): EncodedAccount | undefined => {
    const account = svm.getAccount(at);
    return account.exists && account.lamports > 0n ? account : undefined;
  };
  const transactions: TransactionRecord[] = [];
  const run = (transaction: Transaction): { record: TransactionRecord; result: ReturnType<LiteSVM['sendTransaction']> } => {
    byProgram.clear();
    const watched = watchTransaction(transaction, getAccount);
    const result = svm.sendTransaction(transaction);
    const { slot, unixTimestamp } = svm.getClock();
    const record = watched(result, { slot, blockTime: unixTimestamp });
    transactions.push(record);
    return { record, result };
  };
  const nextSlot = (): void => {
    const { slot, unixTimestamp } = svm.getClock();
    setClock(slot + 1n, unixTimestamp);
  };

  setClock(1_000n, unixSeconds);
  return {
    payer: payer.address,
    transactions,
    slot: () => svm.getClock().slot,
    setTime: (time) => setClock(svm.getClock().slot + 1n, time),
    async send(instructions) {
      nextSlot();
      // Equal transactions would otherwise pass for one.
      svm.expireBlockhash();
      const { result } = run(await signTransaction(svm, { instructions, signers: [payer] }));
      if (result instanceof FailedTransactionMetadata) {
        throw new Error(`a transaction on the local VM failed: ${result.meta().logs().join('\n')} ${result.err()}`);
      }
    },
    async transact({ payer: seed, signers = [], isSameSlot = false, ...unsigned }) {
      if (!isSameSlot) nextSlot();
      svm.expireBlockhash();
      const all = await Promise.all(signers.map(signerOf));
      return run(await signTransaction(svm, { ...unsigned, signers: [await signerOf(seed), ...all] })).record;
    },
    async simulate(instructions) {
      const result = svm.simulateTransaction(await signTransaction(svm, { instructions, signers: [payer] }));
      if (result instanceof FailedTransactionMetadata) {
        throw new Error(`a simulation on the local VM failed: ${result.meta().logs().join('\n')}`);
      }
      return Buffer.from(result.meta().returnData().data());
    },
    setAccount(at, program, data, amount = svm.minimumBalanceForRentExemption(BigInt(data.length))) {
      byProgram.clear();
      svm.setAccount({
        address: at,
        programAddress: program,
        executable: false,
        lamports: lamports(amount),
        space: BigInt(data.length),
        data,
      });
    },
    getAccount,
    accountsOf(program) {
      const found = byProgram.get(program) ?? svm.getProgramAccounts(program);
      byProgram.set(program, found);
      return found;
    },
  };
}
