import { AppError } from '../../../domain/errors.ts';
import type { ReadContext } from '../read-context.ts';
import { fetchBlockTimes, fetchTransactions } from './transfer-rpc.ts';
import type { ChainTransaction } from './transfer-transaction.ts';
import type { WalkStep } from './transfer-walk.ts';

export type DatedTransaction = { readonly transaction: ChainTransaction; readonly occurredAt: Date };

/** Transactions by their signatures, with the times of their blocks. Those read last are kept: the other wallets of a transaction are often read soon after, and what is final never changes. */
export type DatedTransactions = {
  /** One outcome for each step. Throws but for the signal. */
  fetch(steps: readonly WalkStep[], context: ReadContext): Promise<ReadonlyMap<string, DatedTransaction | AppError>>;
};

const MAX_KEPT = 2_000;

export function createDatedTransactions(): DatedTransactions {
  const kept = new Map<string, DatedTransaction>();
  return {
    async fetch(steps, context) {
      const missing = steps.filter(({ signature }) => !kept.has(signature));
      const fetched = await fetchDated(missing, context);
      const found = new Map(steps.map(({ signature }) => [signature, kept.get(signature) ?? fetched.get(signature) ?? unread()]));
      for (const [signature, one] of fetched) if (!(one instanceof AppError)) kept.set(signature, one);
      for (const signature of [...kept.keys()].slice(0, Math.max(0, kept.size - MAX_KEPT))) kept.delete(signature);
      return found;
    },
  };
}

async function fetchDated(
  steps: readonly WalkStep[],
  context: ReadContext,
): Promise<ReadonlyMap<string, DatedTransaction | AppError>> {
  const found = await fetchTransactions(
    steps.map(({ signature }) => signature),
    context,
  );
  context.signal.throwIfAborted();
  const secondsOf = (step: WalkStep): bigint | null | AppError => {
    const transaction = found.get(step.signature) ?? unread();
    return transaction instanceof AppError ? transaction : (transaction.blockTime ?? step.blockTime);
  };
  const undated = new Set(steps.filter((step) => secondsOf(step) === null).map(({ slot }) => slot.toString()));
  const times = await fetchBlockTimes([...undated], context);
  context.signal.throwIfAborted();
  return new Map(
    steps.map((step): [string, DatedTransaction | AppError] => {
      const transaction = found.get(step.signature) ?? unread();
      const seconds = secondsOf(step) ?? times.get(step.slot.toString()) ?? unread();
      if (transaction instanceof AppError) return [step.signature, transaction];
      if (seconds instanceof AppError) return [step.signature, seconds];
      return [step.signature, { transaction, occurredAt: new Date(Number(seconds) * 1000) }];
    }),
  );
}

function unread(): AppError {
  return new AppError('upstream_malformed', 'An endpoint left out what it was asked for.');
}
