import { z } from 'zod';
import { decodeBase58 } from '../base58.ts';
import { malformed } from '../rpc-account.ts';
import { addressAt, parseSolanaAddress } from '../solana-address.ts';
import { type RawInstruction, readStakeStep, type StakeStep } from './transfer-stakes.ts';

/** What one token account held before or after a transaction. */
export type TokenBalance = {
  readonly account: string;
  readonly mint: string;
  /** Null in transactions of the first years, which do not name it. */
  readonly owner: string | null;
  readonly amountRaw: bigint;
};

/** What counts of a transaction for those who took part in it. The account that pays the fee is the first. */
export type ChainTransaction = {
  readonly signature: string;
  readonly slot: bigint;
  /** Seconds; null where the chain did not write it down. */
  readonly blockTime: bigint | null;
  readonly fee: bigint;
  readonly keys: readonly string[];
  readonly preLamports: readonly bigint[];
  readonly postLamports: readonly bigint[];
  readonly preTokens: readonly TokenBalance[];
  readonly postTokens: readonly TokenBalance[];
  readonly stakeSteps: readonly StakeStep[];
};

/** A transaction names fewer accounts, and cannot run more instructions. */
const MAX_ACCOUNTS = 256;
const MAX_INSTRUCTIONS = 1_000;
const U64_MAX = 2n ** 64n - 1n;

const addressSchema = z.string().refine((text) => parseSolanaAddress(text) !== undefined);
const u64Schema = z.bigint().min(0n).max(U64_MAX);
const indexSchema = z.bigint().min(0n).max(BigInt(MAX_ACCOUNTS)).transform(Number);
const keysSchema = z.array(addressSchema).max(MAX_ACCOUNTS);
const instructionSchema = z.object({
  programIdIndex: indexSchema,
  accounts: z.array(indexSchema).max(MAX_ACCOUNTS),
  data: z.string(),
});
const instructionsSchema = z.array(instructionSchema).max(MAX_INSTRUCTIONS);
const tokenBalancesSchema = z
  .array(
    z.object({
      accountIndex: indexSchema,
      mint: addressSchema,
      owner: addressSchema.nullish(),
      uiTokenAmount: z.object({ amount: z.string().regex(/^\d{1,20}$/) }),
    }),
  )
  .max(MAX_ACCOUNTS)
  .nullish();
/** Up to the year 2242. */
export const blockTimeSchema = z
  .bigint()
  .positive()
  .max(2n ** 33n);

const schema = z.object({
  slot: u64Schema,
  blockTime: blockTimeSchema.nullish(),
  transaction: z.object({
    signatures: z.array(z.string()).min(1),
    message: z.object({ accountKeys: keysSchema.min(1), instructions: instructionsSchema }),
  }),
  meta: z.object({
    fee: u64Schema,
    err: z.unknown(),
    preBalances: z.array(u64Schema).max(MAX_ACCOUNTS),
    postBalances: z.array(u64Schema).max(MAX_ACCOUNTS),
    preTokenBalances: tokenBalancesSchema,
    postTokenBalances: tokenBalancesSchema,
    innerInstructions: z
      .array(z.object({ index: z.bigint(), instructions: instructionsSchema }))
      .max(MAX_INSTRUCTIONS)
      .nullish(),
    loadedAddresses: z.object({ writable: keysSchema, readonly: keysSchema }).nullish(),
  }),
});
type Answer = z.infer<typeof schema>;

/** Reads an answer of `getTransaction` (encoding `json`). Throws upstream_malformed for anything else, and for another transaction. */
export function parseTransaction(answer: unknown, signature: string, provider: string): ChainTransaction {
  const parsed = schema.safeParse(answer);
  if (!parsed.success) throw malformed(provider);
  const { slot, blockTime, transaction, meta } = parsed.data;
  const { loadedAddresses } = meta;
  const keys = [...transaction.message.accountKeys, ...(loadedAddresses?.writable ?? []), ...(loadedAddresses?.readonly ?? [])];
  const isWhole = meta.preBalances.length === keys.length && meta.postBalances.length === keys.length;
  if (!isWhole || transaction.signatures[0] !== signature) throw malformed(provider);
  const keyAt = (index: number): string => {
    const key = keys[index];
    if (key === undefined) throw malformed(provider);
    return key;
  };
  const toBalances = (balances: Answer['meta']['preTokenBalances']): readonly TokenBalance[] =>
    (balances ?? []).map(({ accountIndex, mint, owner, uiTokenAmount }) => ({
      account: keyAt(accountIndex),
      mint,
      owner: owner ?? null,
      amountRaw: BigInt(uiTokenAmount.amount),
    }));
  return {
    signature,
    slot,
    blockTime: blockTime ?? null,
    fee: meta.fee,
    keys,
    preLamports: meta.preBalances,
    postLamports: meta.postBalances,
    preTokens: toBalances(meta.preTokenBalances),
    postTokens: toBalances(meta.postTokenBalances),
    // What failed has passed no rights on.
    stakeSteps: meta.err == null ? inOrder(parsed.data, keyAt).flatMap((one) => readStakeStep(one, CODEC) ?? []) : [],
  };
}

const CODEC = { decode: decodeBase58, addressAt };

/** The instructions as they ran: each with those that it called behind it. */
function inOrder({ transaction, meta }: Answer, keyAt: (index: number) => string): readonly RawInstruction[] {
  const inner = new Map((meta.innerInstructions ?? []).map(({ index, instructions }) => [index, instructions]));
  return transaction.message.instructions
    .flatMap((instruction, index) => [instruction, ...(inner.get(BigInt(index)) ?? [])])
    .map(({ programIdIndex, accounts, data }) => ({ program: keyAt(programIdIndex), accounts: accounts.map(keyAt), data }));
}
