import { AppError, toAppError } from '../../domain/errors.ts';
import type { SourceError } from '../../domain/holding.ts';
import { mapLimited } from '../../lib/concurrency.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { STAKE_PROGRAM } from './programs.ts';
import { fetchProgramAccounts } from './solana-rpc.ts';
import type { ReadContext } from './wallet-reads.ts';

/** Lamports in stake accounts that a wallet may withdraw, rent included; or why that is not known. */
export type StakeRead =
  | { readonly status: 'ok'; readonly slot: bigint; readonly lamports: bigint }
  | { readonly status: 'failed' | 'unsupported'; readonly error: SourceError };

/** Where a stake account names its withdrawer: tag, rent reserve, staker, withdrawer. */
const WITHDRAWER_OFFSET = 44;
const CALLS_AT_ONCE = 4;
/** How public endpoints refuse a call that searches all accounts. */
const REFUSALS: ReadonlySet<string> = new Set(['upstream_unsupported', 'upstream_unauthorized', 'upstream_rpc_error']);
const REFUSED_KEY = 'solana-stake-refused-until';
const REFUSED_FOR_MS = 30 * 60_000;

/**
 * Native stake by withdrawer: who may take it out owns it. Endpoints that refuse the search are remembered, so that they are not asked for each wallet.
 */
export async function readStakes(addresses: readonly string[], context: ReadContext): Promise<ReadonlyMap<string, StakeRead>> {
  const reads = await mapLimited(
    addresses,
    CALLS_AT_ONCE,
    async (address) => [address, await readStake(address, context)] as const,
  );
  return new Map(reads);
}

async function readStake(address: string, { pool, signal }: ReadContext): Promise<StakeRead> {
  try {
    return await pool.run((endpoint) => searchStake(endpoint, address, signal), signal);
  } catch (error) {
    const { code, provider } = toAppError(error);
    const status = code === 'upstream_unsupported' ? 'unsupported' : 'failed';
    return { status, error: { code, provider: provider ?? null } };
  }
}

async function searchStake(endpoint: RpcEndpoint, address: string, signal: AbortSignal): Promise<StakeRead> {
  const refusedUntil = endpoint.learnt.get(REFUSED_KEY);
  if (typeof refusedUntil === 'number' && refusedUntil > Date.now()) throw unsupported(endpoint);
  const filters = [{ offset: WITHDRAWER_OFFSET, bytes: address }];
  try {
    const dataSlice = { offset: 0, length: 0 };
    const { slot, value } = await fetchProgramAccounts(STAKE_PROGRAM, filters, { endpoint, signal, minSlot: 0n, dataSlice });
    return { status: 'ok', slot, lamports: value.reduce((sum, account) => sum + account.lamports, 0n) };
  } catch (error) {
    if (!(error instanceof AppError) || !REFUSALS.has(error.code)) throw error;
    endpoint.learnt.set(REFUSED_KEY, Date.now() + REFUSED_FOR_MS);
    throw unsupported(endpoint);
  }
}

function unsupported({ name }: RpcEndpoint): AppError {
  return new AppError('upstream_unsupported', `${name} does not search for stake accounts.`, { provider: name });
}
