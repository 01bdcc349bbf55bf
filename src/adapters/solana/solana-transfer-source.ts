import type { SolanaChain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { toSourceError } from '../../domain/holding.ts';
import type { Transfer } from '../../domain/ledger.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { TransferQuery, TransferReading, TransferSource } from '../transfer-source.ts';
import type { ReadContext } from './read-context.ts';
import { listAccounts } from './transfer-accounts.ts';
import { readCursor, type TransferCursor, writeCursor } from './transfer-cursor.ts';
import { type MovementWallet, readMovements, stakesOf } from './transfer-movements.ts';
import { fetchBlockTimes, fetchPages, fetchTransactions, pageKey } from './transfer-rpc.ts';
import type { ChainTransaction } from './transfer-transaction.ts';
import { createTransferWalk, type TransferWalk, type WalkStep } from './transfer-walk.ts';

/** What one call may ask for; wallets that it does not reach keep their place. */
const MAX_TRANSACTIONS = 1_000;
const MAX_PAGES = 2_000;
const MAX_MS = 20_000;
/** The other wallets of a transaction are often read soon after, and what is final never changes. */
const KEPT_TRANSACTIONS = 2_000;

/**
 * What moved SOL and tokens of wallets, with the fees they paid, read from the newest slot to the oldest. Seen is every transaction that names the wallet, one of its token accounts, or one of its
 * stake accounts, those closed since included if what closed them names the wallet, as it does unless somebody else was given the right to. Not seen is what happened to accounts that left by such a way,
 * and the rewards of stake, which the chain hands out without a transaction. Endpoints that do not keep the whole stretch are passed over.
 */
export function createSolanaTransferSource({
  chain,
  pool,
}: {
  readonly chain: SolanaChain;
  readonly pool: EndpointPool;
}): TransferSource {
  const kept = new Map<string, ChainTransaction>();
  return {
    chain: chain.slug,
    async readTransfers(queries, { signal }) {
      const context = { chain, pool, signal };
      const starts = await findStarts(queries, context);
      const readers = queries.map((query) => createReader(query, starts.get(query.walletId)));
      await readAll(readers, kept, context);
      return readers.map((reader) => toReading(reader));
    },
  };
}

type Reader = {
  readonly query: TransferQuery;
  readonly toSlot: bigint;
  /** Undefined when there was no beginning. */
  readonly walk: TransferWalk | undefined;
  readonly wallet: MovementWallet;
  readonly transfers: Transfer[];
  /** Signatures met: an account found in a transaction may lead to others of its slot once more. */
  readonly met: Set<string>;
  hasMoved: boolean;
  error: AppError | undefined;
};

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
  for (const { walletId, address, toBlock } of fresh) {
    const start = listed.get(address);
    if (start === undefined || start instanceof AppError) starts.set(walletId, start ?? unread());
    else starts.set(walletId, { ...start, toSlot: toBlock === null || toBlock > start.toSlot ? start.toSlot : toBlock });
  }
  return starts;
}

function unread(): AppError {
  return new AppError('upstream_malformed', 'An endpoint left out what it was asked for.');
}

function createReader(query: TransferQuery, start: TransferCursor | AppError | undefined): Reader {
  const isStarted = start !== undefined && !(start instanceof AppError);
  // A stretch that has not begun yet has nothing to read.
  const accounts = isStarted && start.toSlot >= query.fromBlock ? start.accounts : [];
  const walk = isStarted ? createTransferWalk({ ...start, accounts }, query.fromBlock) : undefined;
  return {
    query,
    toSlot: isStarted ? start.toSlot : 0n,
    walk,
    wallet: {
      address: query.address,
      isTokenAccount: (account) => walk?.has('token', account) === true,
      isStake: (account) => walk?.has('stake', account) === true,
      hasStake: isStarted && start.hasStake,
    },
    transfers: [],
    met: new Set(),
    hasMoved: false,
    error: start instanceof AppError ? start : walk === undefined ? unread() : undefined,
  };
}

function toReading({ query, walk, toSlot, transfers, hasMoved, error }: Reader): TransferReading {
  const { walletId, fromBlock } = query;
  // What was read before a failure counts; the next call meets the failure at once.
  if (walk === undefined || (error !== undefined && !hasMoved)) {
    const status = error?.code === 'upstream_unsupported' ? 'unsupported' : 'failed';
    return { walletId, status, error: toSourceError(error) };
  }
  const base = { walletId, status: 'ok', transfers, hasNative: true } as const;
  if (!walk.isDone()) return { ...base, through: null, cursor: writeCursor(walk.cursor()) };
  return { ...base, through: toSlot < fromBlock ? null : { number: toSlot, hash: null }, cursor: null };
}

type Kept = Map<string, ChainTransaction>;
type Walking = Reader & { readonly walk: TransferWalk };

/** All wallets side by side, in rounds: pages of signatures, then their transactions. */
async function readAll(readers: readonly Reader[], kept: Kept, context: ReadContext): Promise<void> {
  const startedAt = performance.now();
  let [pages, transactions] = [0, 0];
  const isActive = (reader: Reader): reader is Walking =>
    reader.walk !== undefined && reader.error === undefined && !reader.walk.isDone();
  while (pages < MAX_PAGES && transactions < MAX_TRANSACTIONS && performance.now() - startedAt < MAX_MS) {
    const turn: Walking[] = [];
    for (const reader of readers.filter(isActive)) {
      if (pages >= MAX_PAGES) break;
      pages += reader.walk.missing().length;
      turn.push(reader);
    }
    if (turn.length === 0) return;
    await readPages(turn, context);
    const share = Math.ceil((MAX_TRANSACTIONS - transactions) / turn.length);
    transactions += await readSteps(turn.filter(isActive), share, { kept, context });
  }
}

async function readPages(readers: readonly Walking[], context: ReadContext): Promise<void> {
  const missing = readers.map((reader) => ({ reader, queries: reader.walk.missing() }));
  const found = await fetchPages(
    missing.flatMap(({ queries }) => queries),
    context,
  );
  context.signal.throwIfAborted();
  for (const { reader, queries } of missing) {
    for (const query of queries) {
      const page = found.get(pageKey(query)) ?? unread();
      if (page instanceof AppError) reader.error ??= page;
      else reader.walk.accept(query, page);
    }
  }
}

type ReadSteps = { readonly kept: Kept; readonly context: ReadContext };

/** Reads the next transactions of each wallet, each of them once. Tells how many it met. */
async function readSteps(readers: readonly Walking[], share: number, { kept, context }: ReadSteps): Promise<number> {
  const turns = readers.map((reader) => {
    const steps = reader.walk.peek(Math.min(share, MAX_TURN));
    // What failed cost those alone who are named, one of whom paid the fee.
    return {
      reader,
      steps: steps.filter(({ signature, isNamed, isFailed }) => (isNamed || !isFailed) && !reader.met.has(signature)),
    };
  });
  const all = new Map(turns.flatMap(({ steps }) => steps.map((step) => [step.signature, step] as const)));
  const found = await fetchAll([...all.values()], kept, context);
  for (const { reader, steps } of turns) {
    const failed = steps.map(({ signature }) => found.get(signature)).find((one) => one instanceof AppError);
    if (failed !== undefined) {
      reader.error = failed;
      continue;
    }
    for (const { signature } of steps) {
      const one = found.get(signature);
      if (one !== undefined && !(one instanceof AppError)) apply(reader, one, context.chain.slug);
    }
    reader.walk.pass();
    reader.hasMoved = true;
  }
  return all.size;
}

/** Small enough that a failure costs little of what was read. */
const MAX_TURN = 200;

type Dated = { readonly transaction: ChainTransaction; readonly seconds: bigint };

async function fetchAll(
  steps: readonly WalkStep[],
  kept: Kept,
  context: ReadContext,
): Promise<ReadonlyMap<string, Dated | AppError>> {
  const fetched = await fetchTransactions(
    steps.flatMap(({ signature }) => (kept.has(signature) ? [] : [signature])),
    context,
  );
  context.signal.throwIfAborted();
  const transactionOf = ({ signature }: WalkStep): ChainTransaction | AppError =>
    kept.get(signature) ?? fetched.get(signature) ?? unread();
  const undated = steps.filter((step) => {
    const transaction = transactionOf(step);
    return !(transaction instanceof AppError) && (transaction.blockTime ?? step.blockTime) === null;
  });
  const times = await fetchBlockTimes([...new Set(undated.map(({ slot }) => slot.toString()))], context);
  context.signal.throwIfAborted();
  const found = new Map(
    steps.map((step): [string, Dated | AppError] => {
      const transaction = transactionOf(step);
      if (transaction instanceof AppError) return [step.signature, transaction];
      const seconds = transaction.blockTime ?? step.blockTime ?? times.get(step.slot.toString()) ?? unread();
      return [step.signature, seconds instanceof AppError ? seconds : { transaction, seconds }];
    }),
  );
  for (const [signature, transaction] of fetched) if (!(transaction instanceof AppError)) kept.set(signature, transaction);
  for (const signature of [...kept.keys()].slice(0, Math.max(0, kept.size - KEPT_TRANSACTIONS))) kept.delete(signature);
  return found;
}

function apply({ walk, wallet, transfers, met }: Walking, { transaction, seconds }: Dated, chain: string): void {
  const { signature, preTokens, postTokens } = transaction;
  met.add(signature);
  for (const { account, owner } of [...preTokens, ...postTokens]) {
    if (owner === wallet.address) walk.discover('token', account, signature);
  }
  for (const [account, { before }] of stakesOf(transaction, wallet)) if (before) walk.discover('stake', account, signature);
  transfers.push(...readMovements(transaction, wallet, { chain, occurredAt: new Date(Number(seconds) * 1000) }));
}
