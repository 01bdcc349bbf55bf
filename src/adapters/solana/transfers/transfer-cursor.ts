import { z } from 'zod';
import { parseSolanaAddress } from '../solana-address.ts';

/** An account whose transactions are still to be read: those before a signature of its own; null: from the newest on. */
export type CursorAccount = {
  readonly kind: 'wallet' | 'token' | 'stake';
  readonly address: string;
  readonly before: string | null;
};

/** Where the reading of a stretch stands. */
export type TransferCursor = {
  /** The slot that the stretch ends with. */
  readonly toSlot: bigint;
  readonly hasStake: boolean;
  readonly accounts: readonly CursorAccount[];
};

/** Wallets with more accounts to read are not read: each of them is a question of its own. */
export const MAX_ACCOUNTS = 2_000;
/** Accounts that are gone since come on top. A cursor with more would not be read again. */
export const MAX_CURSOR_ACCOUNTS = 2 * MAX_ACCOUNTS;
const MAX_CHARACTERS = 1024 * 1024;

const schema = z.object({
  v: z.literal(1),
  to: z.string().regex(/^\d{1,20}$/),
  stake: z.boolean(),
  accounts: z
    .array(
      z.tuple([
        z.enum(['wallet', 'token', 'stake']),
        z.string().refine((text) => parseSolanaAddress(text) !== undefined),
        z.string().max(88).nullable(),
      ]),
    )
    .max(MAX_CURSOR_ACCOUNTS),
});

export function writeCursor({ toSlot, hasStake, accounts }: TransferCursor): string {
  const rows = accounts.map(({ kind, address, before }) => [kind, address, before]);
  return JSON.stringify({ v: 1, to: toSlot.toString(), stake: hasStake, accounts: rows });
}

/** Null for what this version did not write: then the stretch begins anew, which tells the same again. */
export function readCursor(text: string | null): TransferCursor | null {
  if (text === null || text.length > MAX_CHARACTERS) return null;
  const parsed = schema.safeParse(parseJson(text));
  if (!parsed.success) return null;
  const { to, stake, accounts } = parsed.data;
  return {
    toSlot: BigInt(to),
    hasStake: stake,
    accounts: accounts.map(([kind, address, before]) => ({ kind, address, before })),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
