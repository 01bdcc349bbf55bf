import { formatDecimal } from '../../domain/decimal.ts';
import type { ImportReach, Transaction, TransactionPage } from '../../services/ledger/transaction-service.ts';
import type { CsvForm } from '../csv.ts';
import type { TransactionPageWire, TransactionWire } from '../schemas/transactions.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentBlockNumber, presentDecimal, presentError, presentMoment } from './figures.ts';

/** A page of the ledger as clients see it. */
export function presentTransactionPage(
  { transactions, imports, generatedAt }: TransactionPage,
  { chains, nextCursor }: { readonly chains: ChainsBySlug; readonly nextCursor: string | null },
): TransactionPageWire {
  return {
    transactions: transactions.map((transaction) => presentTransaction(transaction, chains)),
    complete: imports.every(({ isComplete }) => isComplete),
    imports: imports.map(presentReach),
    generated_at: generatedAt.toISOString(),
    next_cursor: nextCursor,
  };
}

/** One entry, or what is derived. */
export function presentTransaction(transaction: Transaction, chains: ChainsBySlug): TransactionWire {
  const { movement, asset, price } = transaction;
  return {
    id: movement.id,
    derived: movement.id === null,
    pending: transaction.isPending,
    type: movement.type,
    origin: movement.origin,
    occurred_at: movement.occurredAt.toISOString(),
    wallet_id: movement.walletId,
    ...presentAssetIdentity(asset, chains),
    asset_uuid: asset.id,
    decimals: asset.decimals,
    amount_raw: movement.amountRaw.toString(),
    amount: presentDecimal(transaction.amount),
    price:
      price === null
        ? null
        : {
            value: formatDecimal(price.value),
            currency: price.currency,
            source: price.source,
            quoted_at: presentMoment(price.quotedAt),
          },
    usd_value: presentDecimal(transaction.usdValue),
    value_reason: transaction.valueReason,
    excluded: transaction.isExcluded,
    counterparty: movement.counterparty,
    tx_hash: movement.txHash,
    block: movement.blockNumber === null ? null : presentBlockNumber(movement.blockNumber),
    note: movement.note,
  };
}

function presentReach({ walletId, chain, read, ageSeconds, isComplete }: ImportReach): TransactionPageWire['imports'][number] {
  const blockOf = (block: bigint | null | undefined): number | null => (block == null ? null : presentBlockNumber(block));
  return {
    wallet_id: walletId,
    chain,
    complete: isComplete,
    from_block: blockOf(read?.fromBlock),
    through_block: blockOf(read?.throughBlock),
    has_native: read?.hasNative ?? null,
    outcome: read?.outcome ?? null,
    error: presentError(read?.error ?? null),
    attempted_at: presentMoment(read?.attemptedAt ?? null),
    age_seconds: ageSeconds,
  };
}

/** The same as a table. The cursor of the next page stands in its last row. */
export const transactionTable: CsvForm<TransactionPageWire> = {
  columns: [
    ...['occurred_at', 'type', 'derived', 'origin', 'wallet_id', 'chain', 'token_symbol', 'token_address', 'asset_id', 'amount'],
    ...['amount_raw', 'price', 'currency', 'price_source', 'usd_value', 'value_reason', 'excluded', 'counterparty', 'tx_hash'],
    ...['block', 'note', 'pending', 'id', 'next_cursor'],
  ],
  rows: ({ transactions, next_cursor: cursor }) =>
    transactions.map((row, index) => [
      ...[row.occurred_at, row.type, row.derived, row.origin, row.wallet_id, row.chain, row.token_symbol, row.token_address],
      ...[row.asset_id, row.amount, row.amount_raw, row.price?.value ?? null, row.price?.currency ?? null],
      ...[row.price?.source ?? null, row.usd_value, row.value_reason, row.excluded, row.counterparty, row.tx_hash, row.block],
      ...[row.note, row.pending, row.id, index === transactions.length - 1 ? cursor : null],
    ]),
};
