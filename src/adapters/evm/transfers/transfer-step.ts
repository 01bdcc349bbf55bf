import { AppError } from '../../../domain/errors.ts';
import type { Transfer } from '../../../domain/ledger/ledger.ts';
import type { RpcEndpoint } from '../../../lib/json-rpc/rpc-endpoint.ts';
import { fetchBlocks } from '../evm-block.ts';
import { readFees } from './transfer-fees.ts';
import { readTokenMovements } from './transfer-logs.ts';
import { type Movement, toFeeTransfers, toTransfers, type WalletsByAddress } from './transfer-movement.ts';
import { readStretch, type Stretch } from './transfer-stretch.ts';
import { readNativeMovements } from './transfer-traces.ts';

/** Runs a task on an endpoint that is up to date, the next one when it fails. */
export type Run = <T>(task: (endpoint: RpcEndpoint) => Promise<T>) => Promise<T>;

export type StepQuery = {
  /** Its slug. */
  readonly chain: string;
  readonly wallets: WalletsByAddress;
  /** Canonical addresses of those that are known. */
  readonly tokens: ReadonlySet<string>;
  /** Whether to ask for movements of the chain's coin. */
  readonly wantsNative: boolean;
  readonly signal: AbortSignal;
};

export type Step = {
  /** The last block of which everything is told. */
  readonly to: bigint;
  readonly transfers: readonly { readonly walletId: string; readonly transfer: Transfer }[];
  /** False as well when no endpoint tells movements of the coin. */
  readonly hasNative: boolean;
};

/** Requests for traces while those for logs, which endpoints answer for many more blocks, wait for them. */
const MOST_TRACE_STRETCHES = 20;

/** What moved in as many blocks, from the beginning of the stretch, as the endpoints answer at a time. Throws AppError. */
export async function readStep(stretch: Stretch, query: StepQuery, run: Run): Promise<Step> {
  const { tokens, signal } = query;
  const wallets = [...query.wallets.keys()];
  const logs = await run((endpoint) =>
    readStretch(endpoint, { ...stretch, kind: 'logs' }, (part) =>
      readTokenMovements(endpoint, { wallets, tokens, stretch: part, signal }),
    ),
  );
  const native = query.wantsNative ? await readNative({ from: stretch.from, to: logs.to }, { wallets, signal }, run) : undefined;
  const to = native?.to ?? logs.to;
  const movements = [...logs.value.filter(({ blockNumber }) => blockNumber <= to), ...(native?.movements ?? [])];
  // With traces it is known who sent what; without, whoever moved a token may have.
  const sent = native?.sent ?? new Set(movements.map(({ txHash }) => txHash));
  const fees = (await run((endpoint) => readFees(endpoint, [...sent], signal))).filter(({ payer }) => query.wallets.has(payer));
  const timeOf = await readTimes([...movements, ...fees], run, signal);
  const context = (blockNumber: bigint) => ({ chain: query.chain, wallets: query.wallets, occurredAt: timeOf(blockNumber) });
  const transfers = [
    ...movements.flatMap((movement) => toTransfers(movement, context(movement.blockNumber))),
    ...fees.flatMap((fee) => toFeeTransfers(fee, context(fee.blockNumber))),
  ];
  return { to, transfers, hasNative: native !== undefined };
}

type Native = { readonly to: bigint; readonly movements: readonly Movement[]; readonly sent: ReadonlySet<string> };

/** Undefined when no endpoint tells traces. One that only fails at the moment is waited for: what it tells could not be made up for later. */
async function readNative(
  { from, to }: Stretch,
  { wallets, signal }: { readonly wallets: readonly string[]; readonly signal: AbortSignal },
  run: Run,
): Promise<Native | undefined> {
  const movements: Movement[] = [];
  const sent = new Set<string>();
  let at = from;
  try {
    for (let count = 0; at <= to && count < MOST_TRACE_STRETCHES; count++) {
      const part = await run((endpoint) =>
        readStretch(endpoint, { from: at, to, kind: 'traces' }, (stretch) =>
          readNativeMovements(endpoint, { wallets, stretch, signal }),
        ),
      );
      movements.push(...part.value.movements);
      for (const hash of part.value.sent) sent.add(hash);
      at = part.to + 1n;
    }
  } catch (error) {
    if (error instanceof AppError && error.code === 'upstream_unsupported') return undefined;
    throw error;
  }
  return { to: at - 1n, movements, sent };
}

/** When each block was made, by the logs where they say it. */
async function readTimes(
  found: readonly (Pick<Movement, 'blockNumber'> & { readonly madeAt?: Date | undefined })[],
  run: Run,
  signal: AbortSignal,
): Promise<(blockNumber: bigint) => Date> {
  const told = new Map(found.flatMap(({ blockNumber, madeAt }) => (madeAt === undefined ? [] : [[blockNumber, madeAt]])));
  const missing = [...new Set(found.map(({ blockNumber }) => blockNumber))].filter((number) => !told.has(number));
  const blocks = await run((endpoint) => fetchBlocks(endpoint, missing, signal));
  return (number) => {
    const time = told.get(number) ?? blocks.get(number)?.madeAt;
    if (time === undefined) throw new AppError('upstream_malformed', 'An endpoint does not tell when a block was made.');
    return time;
  };
}
