import { createHash } from 'node:crypto';
import {
  type Address,
  appendTransactionMessageInstructions,
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

/** The real Solana VM in this process: accounts, transactions and a clock. Equal seeds give equal addresses. */
export type Vm = {
  readonly payer: Address;
  slot(): bigint;
  /** Sets the chain's clock; a slot goes by. */
  setTime(unixSeconds: bigint): void;
  /** Signs, sends and runs the instructions as one transaction. Throws with the program's words when it fails. */
  send(instructions: readonly Instruction[]): Promise<void>;
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
  const sign = (instructions: readonly Instruction[]): Promise<Transaction> =>
    pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      (message) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(message),
      (message) => appendTransactionMessageInstructions(instructions, message),
      (message) => signTransactionMessageWithSigners(message),
    );

  setClock(1_000n, unixSeconds);
  return {
    payer: payer.address,
    slot: () => svm.getClock().slot,
    setTime: (time) => setClock(svm.getClock().slot + 1n, time),
    async send(instructions) {
      const { slot, unixTimestamp } = svm.getClock();
      setClock(slot + 1n, unixTimestamp);
      // Equal transactions would otherwise pass for one.
      svm.expireBlockhash();
      byProgram.clear();
      const result = svm.sendTransaction(await sign(instructions));
      if (result instanceof FailedTransactionMetadata) {
        throw new Error(`a transaction on the local VM failed: ${result.meta().logs().join('\n')} ${result.err()}`);
      }
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
    getAccount(at) {
      const account = svm.getAccount(at);
      return account.exists && account.lamports > 0n ? account : undefined;
    },
    accountsOf(program) {
      const found = byProgram.get(program) ?? svm.getProgramAccounts(program);
      byProgram.set(program, found);
      return found;
    },
  };
}
