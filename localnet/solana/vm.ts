import { createHash } from 'node:crypto';
import {
  type Address,
  type AddressesByLookupTableAddress,
  addSignersToTransactionMessage,
  appendTransactionMessageInstructions,
  compressTransactionMessageUsingAddressLookupTables,
  createKeyPairSignerFromPrivateKeyBytes,
  createTransactionMessage,
  type EncodedAccount,
  getAddressDecoder,
  type Instruction,
  type KeyPairSigner,
  lamports,
  pipe,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
  type Transaction,
} from '@solana/kit';
import { Clock, FailedTransactionMetadata, LiteSVM } from 'litesvm';
import { type TransactionRecord, watchTransaction } from './transaction-record.ts';

/** What a transaction of somebody's own is made of. */
export type Transact = {
  /** Who pays the fee, by the seed of `walletOf`. */
  readonly payer: string;
  /** Seeds of the others who sign. */
  readonly signers?: readonly string[];
  readonly instructions: readonly Instruction[];
  /** Accounts to be named by these lookup tables. */
  readonly tables?: AddressesByLookupTableAddress;
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
  const sign = (
    instructions: readonly Instruction[],
    signers: readonly KeyPairSigner[] = [payer],
    tables: AddressesByLookupTableAddress = {},
  ): Promise<Transaction> =>
    pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(signers[0] ?? payer, message),
      (message) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(message),
      (message) => appendTransactionMessageInstructions(instructions, message),
      (message) => addSignersToTransactionMessage([...signers], message),
      (message) => compressTransactionMessageUsingAddressLookupTables(message, tables),
      (message) => signTransactionMessageWithSigners(message),
    );
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
      const { result } = run(await sign(instructions));
      if (result instanceof FailedTransactionMetadata) {
        throw new Error(`a transaction on the local VM failed: ${result.meta().logs().join('\n')} ${result.err()}`);
      }
    },
    async transact({ payer: seed, signers = [], instructions, tables, isSameSlot = false }) {
      if (!isSameSlot) nextSlot();
      svm.expireBlockhash();
      const all = await Promise.all([seed, ...signers].map(signerOf));
      return run(await sign(instructions, all, tables)).record;
    },
    async simulate(instructions) {
      const result = svm.simulateTransaction(await sign(instructions));
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
