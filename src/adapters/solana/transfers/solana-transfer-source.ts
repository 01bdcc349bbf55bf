import type { SolanaChain } from '../../../domain/chain.ts';
import { AppError } from '../../../domain/errors.ts';
import type { EndpointPool } from '../../../lib/json-rpc/pool/endpoint-pool.ts';
import type { TransferQuery, TransferSource } from '../../transfer-source.ts';
import type { ReadContext } from '../read-context.ts';
import { listAccounts } from './transfer-accounts.ts';
import { readCursor, type TransferCursor } from './transfer-cursor.ts';
import { createDatedTransactions, type DatedTransactions } from './transfer-dated.ts';
import { createTransferReader, type TransferReader, toFailure } from './transfer-reader.ts';
import { fetchPages, pageKey } from './transfer-rpc.ts';

/** What one call may ask for; wallets that it does not reach keep their place. */
const MAX_TRANSACTIONS = 1_000;
const MAX_PAGES = 2_000;
const MAX_MS = 20_000;
/** Small enough that a failure costs little of what was read. */
const MAX_TURN = 200;

/**
 * What moved SOL and tokens of wallets, with the fees they paid, read from the newest slot to the oldest. Seen is every transaction that names the wallet, one of its token accounts, or one of its
 * stake accounts, those closed since included if what closed them names the wallet, as it does unless somebody else was given the right to. Not seen is what came to accounts that left in another
 * way, and the rewards of stake, which the chain hands out without a transaction. Endpoints that do not keep the whole stretch are passed over. Wallets with
 * thousands of accounts are not supported.
 */
export function createSolanaTransferSource({
  chain,
  pool,
}: {
  readonly chain: SolanaChain;
  readonly pool: EndpointPool;
}): TransferSource {
  const transactions = createDatedTransactions();
  return {
    chain: chain.slug,
    async readTransfers(queries, { signal }) {
      const context = { chain, pool, signal };
      const starts = await findStarts(queries, context);
      const readers = queries.map((query) => {
        const start = starts.get(query.walletId) ?? unread();
        return start instanceof AppError ? start : createTransferReader(query, start, chain.slug);
      });
      const begun = readers.flatMap((reader) => (reader instanceof AppError ? [] : [reader]));
      await readOn(begun, transactions, context);
      return queries.map(({ walletId }, index) => {
        const reader = readers[index] ?? unread();
        return reader instanceof AppError ? toFailure(walletId, reader) : reader.finish();
      });
    },
  };
}

/** Where each stretch goes on, or begins; by wallet id. */
async function findStarts(
  queries: readonly TransferQuery[],
  context: ReadContext,
): Promise<ReadonlyMap<string, TransferCursor | AppError>> {
  const starts = new Map<string, TransferCursor | AppError>();
  for (const { walletId, cursor } of queries) {
    const start = readCursor(cursor);
    if (start !== null) starts.set(walletId, start);
  }
  const fresh = queries.filter(({ walletId }) => !starts.has(walletId));
  const listed = await listAccounts([...new Set(fresh.map(({ address }) => address))], context);
  context.signal.throwIfAborted();
  for (const { walletId, address } of fresh) starts.set(walletId, listed.get(address) ?? unread());
  return starts;
}

function unread(): AppError {
  return new AppError('upstream_malformed', 'An endpoint left out what it was asked for.');
}

/** All wallets side by side, in rounds: pages of signatures, then their transactions. */
async function readOn(readers: readonly TransferReader[], transactions: DatedTransactions, context: ReadContext): Promise<void> {
  const startedAt = performance.now();
  let [pages, met] = [0, 0];
  while (pages < MAX_PAGES && met < MAX_TRANSACTIONS && performance.now() - startedAt < MAX_MS) {
    const turn: TransferReader[] = [];
    for (const reader of readers.filter(({ isActive }) => isActive())) {
      if (pages >= MAX_PAGES) break;
      pages += reader.walk.missing().length;
      turn.push(reader);
    }
    if (turn.length === 0) return;
    await readPages(turn, context);
    const active = turn.filter(({ isActive }) => isActive());
    const share = Math.min(MAX_TURN, Math.ceil((MAX_TRANSACTIONS - met) / turn.length));
    const steps = new Map(active.flatMap(({ next }) => next(share).map((step) => [step.signature, step] as const)));
    const found = await transactions.fetch([...steps.values()], context);
    for (const { take } of active) take(found);
    met += steps.size;
  }
}

async function readPages(readers: readonly TransferReader[], context: ReadContext): Promise<void> {
  const missing = readers.map((reader) => ({ reader, queries: reader.walk.missing() }));
  const found = await fetchPages(
    missing.flatMap(({ queries }) => queries),
    context,
  );
  context.signal.throwIfAborted();
  for (const { reader, queries } of missing) {
    for (const query of queries) {
      const page = found.get(pageKey(query)) ?? unread();
      if (page instanceof AppError) reader.fail(page);
      else reader.walk.accept(query, page);
    }
  }
}
