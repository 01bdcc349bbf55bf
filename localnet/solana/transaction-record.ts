import {
  type Address,
  type CompiledTransactionMessage,
  type EncodedAccount,
  getAddressDecoder,
  getBase58Decoder,
  getCompiledTransactionMessageDecoder,
  getSignatureFromTransaction,
  type ReadonlyUint8Array,
  type Transaction,
} from '@solana/kit';
import { FailedTransactionMetadata, type TransactionMetadata } from 'litesvm';
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../../src/adapters/solana/programs.ts';

/** A transaction that the VM has run, with its `transaction` and `meta` in the form of Agave's `getTransaction` (encoding `json`). */
export type TransactionRecord = {
  readonly signature: string;
  readonly slot: bigint;
  readonly blockTime: bigint;
  /** Every account that it names, those from lookup tables included. */
  readonly keys: readonly Address[];
  readonly err: unknown;
  readonly version: 'legacy' | number;
  readonly transaction: unknown;
  readonly meta: unknown;
};

type Find = (at: Address) => EncodedAccount | undefined;
type Loaded = { readonly writable: readonly Address[]; readonly readonly: readonly Address[] };

const addresses = getAddressDecoder();
const base58 = getBase58Decoder();

/** Looks at the accounts of a signed transaction now; the function it returns, called with what came of it, looks again and makes the record. */
export function watchTransaction(
  transaction: Transaction,
  find: Find,
): (result: TransactionMetadata | FailedTransactionMetadata, at: { slot: bigint; blockTime: bigint }) => TransactionRecord {
  const message = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes);
  const loaded = loadAddresses(message, find);
  const keys = [...message.staticAccounts, ...loaded.writable, ...loaded.readonly];
  const before = keys.map(find);
  // The mint of an account that is closed may be gone as well.
  const mintsBefore = new Map(before.map((account) => readMint(account, find)));
  return (result, { slot, blockTime }) => {
    const after = keys.map(find);
    const err = result instanceof FailedTransactionMetadata ? toWireError(result) : null;
    const [pre, post] = [before.map(lamportsOf), after.map(lamportsOf)];
    const metadata = result instanceof FailedTransactionMetadata ? result.meta() : result;
    const balances = (accounts: readonly (EncodedAccount | undefined)[]): unknown[] =>
      accounts.flatMap((account, index) => toTokenBalance(account, index, (mint) => find(mint) ?? mintsBefore.get(mint)) ?? []);
    return {
      signature: getSignatureFromTransaction(transaction),
      slot,
      blockTime,
      keys,
      err,
      version: message.version,
      transaction: toWireTransaction(transaction, message),
      meta: {
        err,
        status: err === null ? { Ok: null } : { Err: err },
        // What left all accounts together went to the chain.
        fee: sum(pre) - sum(post),
        preBalances: pre,
        postBalances: post,
        preTokenBalances: balances(before),
        postTokenBalances: balances(after),
        innerInstructions: toWireInner(metadata),
        loadedAddresses: loaded,
        logMessages: metadata.logs(),
        rewards: [],
        computeUnitsConsumed: metadata.computeUnitsConsumed(),
      },
    };
  };
}

function lamportsOf(account: EncodedAccount | undefined): bigint {
  return account?.lamports ?? 0n;
}

function sum(values: readonly bigint[]): bigint {
  return values.reduce((total, value) => total + value, 0n);
}

const TABLE_HEADER = 56;

function loadAddresses(message: CompiledTransactionMessage, find: Find): Loaded {
  const lookups = 'addressTableLookups' in message ? (message.addressTableLookups ?? []) : [];
  const pick = (table: Address, indexes: readonly number[]): Address[] => {
    const data = find(table)?.data ?? new Uint8Array();
    return indexes.map((index) => addresses.decode(data.subarray(TABLE_HEADER + index * 32, TABLE_HEADER + index * 32 + 32)));
  };
  return {
    writable: lookups.flatMap((lookup) => pick(lookup.lookupTableAddress, lookup.writableIndexes)),
    readonly: lookups.flatMap((lookup) => pick(lookup.lookupTableAddress, lookup.readonlyIndexes)),
  };
}

function toWireTransaction({ signatures }: Transaction, message: CompiledTransactionMessage): unknown {
  const { numSignerAccounts, numReadonlySignerAccounts, numReadonlyNonSignerAccounts } = message.header;
  const lookups = 'addressTableLookups' in message ? (message.addressTableLookups ?? []) : [];
  return {
    signatures: Object.values(signatures).map((signature) => (signature === null ? '' : base58.decode(signature))),
    message: {
      header: {
        numRequiredSignatures: numSignerAccounts,
        numReadonlySignedAccounts: numReadonlySignerAccounts,
        numReadonlyUnsignedAccounts: numReadonlyNonSignerAccounts,
      },
      accountKeys: message.staticAccounts,
      recentBlockhash: 'lifetimeToken' in message ? message.lifetimeToken : '',
      instructions: instructionsOf(message),
      addressTableLookups: lookups.map(({ lookupTableAddress, writableIndexes, readonlyIndexes }) => ({
        accountKey: lookupTableAddress,
        writableIndexes,
        readonlyIndexes,
      })),
    },
  };
}

function instructionsOf(message: CompiledTransactionMessage): unknown[] {
  if (message.version === 1) {
    return message.instructionHeaders.map(({ programAccountIndex }, index) => {
      const { instructionAccountIndices = [], instructionData = new Uint8Array() } = message.instructionPayloads[index] ?? {};
      return toWireInstruction(programAccountIndex, instructionAccountIndices, instructionData);
    });
  }
  return message.instructions.map(({ programAddressIndex, accountIndices = [], data = new Uint8Array() }) =>
    toWireInstruction(programAddressIndex, accountIndices, data),
  );
}

function toWireInstruction(programIdIndex: number, accounts: readonly number[], data: ReadonlyUint8Array): unknown {
  return { programIdIndex, accounts, data: base58.decode(data), stackHeight: 1 };
}

function toWireInner(metadata: TransactionMetadata): unknown[] {
  return metadata.innerInstructions().flatMap((inner, index) => {
    const instructions = inner.map((one) => ({
      programIdIndex: one.instruction().programIdIndex(),
      accounts: [...one.instruction().accounts()],
      data: base58.decode(one.instruction().data()),
      stackHeight: one.stackHeight(),
    }));
    return instructions.length === 0 ? [] : [{ index, instructions }];
  });
}

function toWireError(failed: FailedTransactionMetadata): unknown {
  const error = failed.err();
  if (typeof error !== 'object' || !('err' in error)) return String(error);
  const cause = error.err();
  const isCustom = typeof cause === 'object' && 'code' in cause;
  return { InstructionError: [error.index, isCustom ? { Custom: cause.code } : String(cause)] };
}

const ACCOUNT_SIZE = 165;
const ACCOUNT_TYPE = 2;

function isTokenAccount({ programAddress, data }: EncodedAccount): boolean {
  if (programAddress !== TOKEN_PROGRAM && programAddress !== TOKEN_2022_PROGRAM) return false;
  if (data.length < ACCOUNT_SIZE || data[108] === 0) return false;
  return data.length === ACCOUNT_SIZE || data[ACCOUNT_SIZE] === ACCOUNT_TYPE;
}

function readMint(account: EncodedAccount | undefined, find: Find): readonly [Address | null, EncodedAccount | undefined] {
  if (account === undefined || !isTokenAccount(account)) return [null, undefined];
  const mint = addresses.decode(account.data.subarray(0, 32));
  return [mint, find(mint)];
}

function toTokenBalance(account: EncodedAccount | undefined, accountIndex: number, findMint: Find): unknown {
  if (account === undefined || !isTokenAccount(account)) return undefined;
  const data = Buffer.from(account.data);
  const mint = addresses.decode(data.subarray(0, 32));
  const decimals = findMint(mint)?.data[44];
  if (decimals === undefined) return undefined;
  const amount = data.readBigUInt64LE(64);
  const uiAmountString = toUiText(amount, decimals);
  return {
    accountIndex,
    mint,
    owner: addresses.decode(data.subarray(32, 64)),
    programId: account.programAddress,
    uiTokenAmount: {
      amount: amount.toString(),
      decimals,
      uiAmount: amount === 0n ? null : Number(uiAmountString),
      uiAmountString,
    },
  };
}

function toUiText(amount: bigint, decimals: number): string {
  const digits = amount.toString().padStart(decimals + 1, '0');
  const whole = digits.slice(0, digits.length - decimals);
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}
