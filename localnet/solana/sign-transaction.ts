import {
  type AddressesByLookupTableAddress,
  addSignersToTransactionMessage,
  appendTransactionMessageInstructions,
  compressTransactionMessageUsingAddressLookupTables,
  createTransactionMessage,
  type Instruction,
  type KeyPairSigner,
  pipe,
  setTransactionMessageConfig,
  setTransactionMessageFeePayerSigner,
  signTransactionMessageWithSigners,
  type Transaction,
} from '@solana/kit';
import type { LiteSVM } from 'litesvm';

export type Unsigned = {
  readonly instructions: readonly Instruction[];
  /** The first pays the fee. */
  readonly signers: readonly [KeyPairSigner, ...KeyPairSigner[]];
  /** Accounts to be named by these lookup tables; version 0 alone has them. */
  readonly tables?: AddressesByLookupTableAddress;
  readonly version?: 0 | 1;
};

/** Transactions of version 1 say themselves how much they need. */
const LIMITS = { computeUnitLimit: 200_000, loadedAccountsDataSizeLimit: 64 * 1024 * 1024 };

/** Signs the instructions as one transaction, for the VM's next run. */
export function signTransaction(
  svm: LiteSVM,
  { instructions, signers, tables = {}, version = 0 }: Unsigned,
): Promise<Transaction> {
  const [payer] = signers;
  if (version === 1) {
    return pipe(
      createTransactionMessage({ version: 1 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      (message) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(message),
      (message) => setTransactionMessageConfig(LIMITS, message),
      (message) => appendTransactionMessageInstructions(instructions, message),
      (message) => addSignersToTransactionMessage([...signers], message),
      (message) => signTransactionMessageWithSigners(message),
    );
  }
  return pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) => svm.setTransactionMessageLifetimeUsingLatestBlockhash(message),
    (message) => appendTransactionMessageInstructions(instructions, message),
    (message) => addSignersToTransactionMessage([...signers], message),
    (message) => compressTransactionMessageUsingAddressLookupTables(message, tables),
    (message) => signTransactionMessageWithSigners(message),
  );
}
