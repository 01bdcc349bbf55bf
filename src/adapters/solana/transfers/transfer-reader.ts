import { AppError } from '../../../domain/errors.ts';
import { toSourceError } from '../../../domain/holding.ts';
import type { Transfer } from '../../../domain/ledger/ledger.ts';
import type { TransferQuery, TransferReading } from '../../transfer-source.ts';
import { tooManyAccounts } from './transfer-accounts.ts';
import { MAX_CURSOR_ACCOUNTS, type TransferCursor, writeCursor } from './transfer-cursor.ts';
import type { DatedTransaction } from './transfer-dated.ts';
import { type MovementWallet, readMovements, stakesOf } from './transfer-movements.ts';
import { createTransferWalk, type TransferWalk, type WalkStep } from './transfer-walk.ts';

/** The reading of one stretch of one wallet, as far as one call takes it. */
export type TransferReader = {
  readonly walk: TransferWalk;
  /** Whether there is more to read, and nothing in the way. */
  readonly isActive: () => boolean;
  /** The next steps whose transactions are to be read. */
  readonly next: (count: number) => readonly WalkStep[];
  /** Takes the transactions of the last `next`, all of them or none. */
  readonly take: (found: ReadonlyMap<string, DatedTransaction | AppError>) => void;
  readonly fail: (error: AppError) => void;
  readonly finish: () => TransferReading;
};

export function createTransferReader(query: TransferQuery, start: TransferCursor, chain: string): TransferReader {
  const { walletId, address, fromBlock, toBlock } = query;
  // What is read above the end of the stretch only leads to accounts that are gone since.
  const toSlot = toBlock !== null && toBlock < start.toSlot ? toBlock : start.toSlot;
  const hasBegun = toSlot >= fromBlock;
  const walk = createTransferWalk(hasBegun ? start : { ...start, accounts: [] }, fromBlock);
  const wallet: MovementWallet = {
    address,
    isTokenAccount: (account) => walk.has('token', account),
    isStake: (account) => walk.has('stake', account),
    hasStake: start.hasStake,
  };
  const transfers: Transfer[] = [];
  // An account that is found in a transaction may lead to others of its slot once more.
  const met = new Set<string>();
  let steps: readonly WalkStep[] = [];
  let hasMoved = false;
  let failure: AppError | undefined;

  const counts = ({ signature, slot, isNamed, isFailed }: WalkStep): boolean => {
    if (met.has(signature)) return false;
    // What failed cost those alone who are named, one of whom paid the fee.
    return slot <= toSlot ? isNamed || !isFailed : isNamed && !isFailed;
  };
  const apply = ({ transaction, occurredAt }: DatedTransaction): void => {
    const { signature, slot, preTokens, postTokens } = transaction;
    met.add(signature);
    for (const { account, owner } of [...preTokens, ...postTokens]) {
      if (owner === address) walk.discover('token', account, signature);
    }
    for (const [account, { before }] of stakesOf(transaction, wallet)) if (before) walk.discover('stake', account, signature);
    if (slot <= toSlot) transfers.push(...readMovements(transaction, wallet, { chain, occurredAt }));
  };
  return {
    walk,
    isActive: () => failure === undefined && !walk.isDone(),
    next(count) {
      steps = walk.peek(count).filter(counts);
      return steps;
    },
    take(found) {
      const outcomes = steps.flatMap(({ signature }) => found.get(signature) ?? []);
      failure ??= outcomes.find((one) => one instanceof AppError);
      if (failure !== undefined) return;
      for (const one of outcomes) if (!(one instanceof AppError)) apply(one);
      walk.pass();
      hasMoved = true;
    },
    fail(error) {
      failure ??= error;
    },
    finish() {
      // What was read before a failure counts; the next call meets the failure at once.
      if (failure !== undefined && !hasMoved) return toFailure(walletId, failure);
      const base = { walletId, status: 'ok', transfers, hasNative: true } as const;
      const cursor = walk.cursor();
      if (cursor.accounts.length > MAX_CURSOR_ACCOUNTS) return toFailure(walletId, tooManyAccounts());
      if (!walk.isDone()) return { ...base, through: null, cursor: writeCursor(cursor) };
      return { ...base, through: hasBegun ? { number: toSlot, hash: null } : null, cursor: null };
    },
  };
}

/** A stretch of which nothing could be read. */
export function toFailure(walletId: string, error: AppError): TransferReading {
  const status = error.code === 'upstream_unsupported' ? 'unsupported' : 'failed';
  return { walletId, status, error: toSourceError(error) };
}
