import type { EvmChain } from '../../../domain/chain.ts';
import { AppError } from '../../../domain/errors.ts';
import { type Block, toSourceError } from '../../../domain/holding.ts';
import type { Transfer } from '../../../domain/ledger/ledger.ts';
import { chunk } from '../../../lib/concurrency.ts';
import type { EndpointPool } from '../../../lib/json-rpc/pool/endpoint-pool.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import type { TransferQuery, TransferReading, TransferSource } from '../../transfer-source.ts';
import { type EvmBlock, fetchBlock, fetchFinalBlock } from '../evm-block.ts';
import type { WalletsByAddress } from './transfer-movement.ts';
import { type Run, readStep } from './transfer-step.ts';

/** As many as nodes take in one topic of a filter, and as one batch of balances has. */
const WALLETS_PER_REQUEST = 100;
/** Stretches that one call reads for wallets that are read together. */
const MOST_STRETCHES = 20;
/** What is held in memory at a time, give or take a stretch. */
const MOST_TRANSFERS = 5_000;

/**
 * What moved on one EVM chain, up to the newest block that cannot be undone: `Transfer` logs of the known tokens, the chain's coin where an endpoint tells traces, and what the wallets paid for transactions. Without traces the
 * fees of transactions that moved no known token stay unexplained too.
 */
export function createEvmTransferSource({
  chain,
  pool,
}: {
  readonly chain: EvmChain;
  readonly pool: EndpointPool;
}): TransferSource {
  return {
    chain: chain.slug,
    async readTransfers(queries, { signal, tokens }) {
      const readings: TransferReading[] = [];
      for (const together of groupByStretch(queries)) {
        const [first] = together;
        if (first === undefined) continue;
        const wallets = byAddress(together);
        const session: Session = { chain, pool, signal, tokens, wallets };
        readings.push(...(await readTogether(together, first, session)));
      }
      return readings;
    },
  };
}

type Session = {
  readonly chain: EvmChain;
  readonly pool: EndpointPool;
  readonly signal: AbortSignal;
  readonly tokens: ReadonlySet<string>;
  readonly wallets: WalletsByAddress;
};

/** Wallets of the same stretch, as many together as one request takes. */
function groupByStretch(queries: readonly TransferQuery[]): readonly (readonly TransferQuery[])[] {
  const groups = Map.groupBy(queries, ({ fromBlock, toBlock }) => `${fromBlock}-${toBlock}`);
  return [...groups.values()].flatMap((group) => chunk(group, WALLETS_PER_REQUEST));
}

function byAddress(queries: readonly TransferQuery[]): WalletsByAddress {
  return Map.groupBy(queries, ({ address }) => address.toLowerCase());
}

type Found = {
  readonly transfers: ReadonlyMap<string, Transfer[]>;
  through: Block | null;
  hasNative: boolean;
};

/** What was read before something failed is kept: the failure will be told by the next call, should it last. */
async function readTogether(
  queries: readonly TransferQuery[],
  { fromBlock, toBlock }: TransferQuery,
  session: Session,
): Promise<readonly TransferReading[]> {
  const found: Found = { transfers: new Map(queries.map(({ walletId }) => [walletId, []])), through: null, hasNative: true };
  let isDone = false;
  try {
    isDone = await readOn(found, { fromBlock, toBlock }, session);
  } catch (error) {
    if (found.through === null) {
      const failure = toSourceError(error);
      return queries.map(({ walletId }) => ({ walletId, status: 'failed', error: failure }));
    }
  }
  const { through, hasNative } = found;
  const cursor = isDone || through === null ? null : String(through.number + 1n);
  return queries.map(({ walletId }) => {
    const transfers = found.transfers.get(walletId) ?? [];
    return { walletId, status: 'ok', transfers, through, cursor, hasNative };
  });
}

/** Whether the stretch is done. */
async function readOn(
  found: Found,
  { fromBlock, toBlock }: Pick<TransferQuery, 'fromBlock' | 'toBlock'>,
  session: Session,
): Promise<boolean> {
  const { chain, pool, signal, tokens, wallets } = session;
  const final = await pool.run((endpoint, ownSignal) => fetchFinalBlock(endpoint, chain, ownSignal), signal, { isHedged: true });
  const end = toBlock !== null && toBlock < final.number ? toBlock : final.number;
  const run = runner(final, session);
  let at = fromBlock;
  for (let stretches = 0; at <= end; stretches++) {
    const count = [...found.transfers.values()].reduce((sum, list) => sum + list.length, 0);
    if (stretches >= MOST_STRETCHES || count >= MOST_TRANSFERS) return false;
    const query = { chain: chain.slug, wallets, tokens, signal, wantsNative: found.hasNative };
    const step = await readStep({ from: at, to: end }, query, run);
    for (const { walletId, transfer } of step.transfers) found.transfers.get(walletId)?.push(transfer);
    found.through = { number: step.to, hash: step.to === final.number ? final.hash : null };
    found.hasNative = step.hasNative;
    at = step.to + 1n;
  }
  return true;
}

/** Asks only endpoints that have the final block: one that is behind tells of what it lacks as if nothing had happened. */
function runner(final: EvmBlock, { pool, signal }: Session): Run {
  const checks = new Map<RpcEndpoint, Promise<void>>();
  return (task) =>
    pool.run(async (endpoint) => {
      const check = checks.get(endpoint) ?? requireSameBlock(endpoint, final, signal);
      checks.set(endpoint, check);
      await check;
      return task(endpoint);
    }, signal);
}

async function requireSameBlock(endpoint: RpcEndpoint, { number, hash }: EvmBlock, signal: AbortSignal): Promise<void> {
  const found = await fetchBlock(endpoint, number, signal);
  if (found.hash === hash) return;
  const { name: provider } = endpoint;
  throw new AppError('upstream_block_unavailable', `${provider} has another block at this height.`, { provider });
}
