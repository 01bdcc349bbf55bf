import { STAKE_PROGRAM } from '../programs.ts';

/** An instruction as a transaction holds it: places in its list of accounts, and data in base58. */
export type RawInstruction = { readonly program: string; readonly accounts: readonly string[]; readonly data: string };

/** What an instruction of the stake program says of who may withdraw. */
export type StakeStep =
  | { readonly kind: 'create'; readonly account: string; readonly withdrawer: string }
  | { readonly kind: 'withdraw'; readonly account: string; readonly withdrawer: string }
  /** `from` null: the one before is not said. */
  | { readonly kind: 'pass'; readonly account: string; readonly from: string | null; readonly to: string }
  | { readonly kind: 'split'; readonly account: string; readonly into: string }
  | { readonly kind: 'merge'; readonly account: string; readonly other: string };

/** Whether a stake account was a wallet's before a transaction, and whether it is after it. */
export type StakeOwnership = { readonly before: boolean; readonly after: boolean };

/** `StakeInstruction` and `StakeAuthorize`, by their numbers. */
const TAG = {
  initialize: 0,
  authorize: 1,
  split: 3,
  withdraw: 4,
  merge: 7,
  authorizeWithSeed: 8,
  initializeChecked: 9,
  authorizeChecked: 10,
  authorizeCheckedWithSeed: 11,
  moveStake: 16,
  moveLamports: 17,
} as const;
const WITHDRAWER = 1;
/** The longest instruction of interest, seeds included, has fewer. */
const MAX_DATA_CHARACTERS = 300;

type Codec = { readonly decode: (text: string) => Buffer; readonly addressAt: (data: Buffer, offset: number) => string };

/** Reads an instruction; undefined for those of other programs, and for those that leave the right to withdraw as it is. */
export function readStakeStep({ program, accounts, data }: RawInstruction, { decode, addressAt }: Codec): StakeStep | undefined {
  if (program !== STAKE_PROGRAM || data.length > MAX_DATA_CHARACTERS) return undefined;
  const bytes = decode(data);
  // Newer programs do without the sysvars that older ones are handed.
  const [account, second, third] = accounts.filter((key) => !key.startsWith('Sysvar'));
  if (account === undefined || bytes.length < 4) return undefined;
  const tag = bytes.readUInt32LE(0);
  if (tag === TAG.initialize && bytes.length >= 68) return { kind: 'create', account, withdrawer: addressAt(bytes, 36) };
  const isPass = tag === TAG.authorize || tag === TAG.authorizeWithSeed;
  if (isPass && bytes.length >= 40 && bytes.readUInt32LE(36) === WITHDRAWER) {
    return { kind: 'pass', account, from: tag === TAG.authorize ? (second ?? null) : null, to: addressAt(bytes, 4) };
  }
  if (second === undefined) return undefined;
  if (tag === TAG.split) return { kind: 'split', account, into: second };
  if (tag === TAG.merge || tag === TAG.moveStake || tag === TAG.moveLamports) return { kind: 'merge', account, other: second };
  if (third === undefined) return undefined;
  if (tag === TAG.withdraw) return { kind: 'withdraw', account, withdrawer: third };
  if (tag === TAG.initializeChecked) return { kind: 'create', account, withdrawer: third };
  const isCheckedPass = tag === TAG.authorizeChecked || tag === TAG.authorizeCheckedWithSeed;
  if (!isCheckedPass || bytes.length < 8 || bytes.readUInt32LE(4) !== WITHDRAWER) return undefined;
  return { kind: 'pass', account, from: tag === TAG.authorizeChecked ? second : null, to: third };
}

/** Which stake accounts were a wallet's before and after a transaction, from those known to be its own and from what the transaction says. */
export function followStakes(
  steps: readonly StakeStep[],
  wallet: string,
  known: (account: string) => boolean,
): ReadonlyMap<string, StakeOwnership> {
  const owned = new Map<string, StakeOwnership>();
  const get = (account: string): StakeOwnership => {
    const isOwn =
      known(account) || steps.some((step) => step.kind === 'withdraw' && step.account === account && step.withdrawer === wallet);
    return owned.get(account) ?? { before: isOwn, after: isOwn };
  };
  for (const step of steps) {
    const now = get(step.account);
    if (step.kind === 'create') owned.set(step.account, { before: false, after: step.withdrawer === wallet });
    else if (step.kind === 'pass') {
      const before = owned.get(step.account)?.before ?? (step.from === null ? now.before : step.from === wallet);
      owned.set(step.account, { before, after: step.to === wallet });
    } else owned.set(step.account, now);
    if (step.kind === 'split') owned.set(step.into, { before: false, after: now.after });
    // Only stakes of the same withdrawer can be merged.
    if (step.kind === 'merge') {
      const other = get(step.other);
      const isOwn = now.after || other.after;
      owned.set(step.account, { before: now.before || (isOwn && !now.after), after: isOwn });
      owned.set(step.other, { before: other.before || (isOwn && !other.after), after: isOwn });
    }
  }
  return owned;
}
