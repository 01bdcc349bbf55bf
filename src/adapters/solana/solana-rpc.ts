import { AppError } from '../../domain/errors.ts';
import type { RpcCall, RpcEndpoint, RpcItem } from '../../lib/json-rpc/rpc-endpoint.ts';

/** One account as an endpoint tells it: its owner is the program it belongs to. */
export type RpcAccount = { readonly address: string; readonly lamports: bigint; readonly owner: string; readonly data: Buffer };

/** An answer with the slot at which it holds. */
export type AtSlot<T> = { readonly slot: bigint; readonly value: T };

export const COMMITMENT = 'confirmed';
const ACCOUNTS_PER_CALL = 100;
/** A wallet with twenty thousand token accounts fits into this. */
const MAX_BYTES = 32 * 1024 * 1024;

type FetchOptions = {
  readonly endpoint: RpcEndpoint;
  readonly signal: AbortSignal;
  /** The node must have come at least this far. */
  readonly minSlot: bigint;
  readonly dataSlice?: { readonly offset: number; readonly length: number };
};

/** The accounts at these addresses, null where there is none, in hundreds; each with its slot. Throws AppError when any part fails. */
export async function fetchAccounts(
  addresses: readonly string[],
  options: FetchOptions,
): Promise<readonly AtSlot<RpcAccount | null>[]> {
  const groups = Array.from({ length: Math.ceil(addresses.length / ACCOUNTS_PER_CALL) }, (_, index) =>
    addresses.slice(index * ACCOUNTS_PER_CALL, (index + 1) * ACCOUNTS_PER_CALL),
  );
  const calls = groups.map((group): RpcCall => ({ method: 'getMultipleAccounts', params: [group, accountConfig(options)] }));
  const items = await batch(calls, options);
  return groups.flatMap((group, index) => {
    const { slot, value } = requireContext(items[index], options.endpoint.name);
    if (!Array.isArray(value) || value.length !== group.length) throw malformed(options.endpoint.name);
    return group.map((address, at) => {
      const raw: unknown = value[at];
      return { slot, value: raw === null ? null : readAccount(address, raw, options.endpoint.name) };
    });
  });
}

/** All token accounts of each owner under one program; a failed owner is an error of its own. */
export async function fetchTokenAccounts(
  owners: readonly string[],
  programId: string,
  options: FetchOptions,
): Promise<readonly (AtSlot<readonly RpcAccount[]> | AppError)[]> {
  const config = accountConfig(options);
  const items = await batch(
    owners.map((owner): RpcCall => ({ method: 'getTokenAccountsByOwner', params: [owner, { programId }, config] })),
    options,
  );
  return items.map((item) =>
    capture(() => {
      const { slot, value } = requireContext(item, options.endpoint.name);
      return { slot, value: readKeyedAccounts(value, options.endpoint.name) };
    }),
  );
}

/** The accounts of a program that hold some bytes at an offset, without their data. */
export async function fetchProgramAccounts(
  program: string,
  filters: readonly { readonly offset: number; readonly bytes: string }[],
  options: FetchOptions,
): Promise<AtSlot<readonly RpcAccount[]>> {
  const config = { ...accountConfig(options), withContext: true, filters: filters.map((memcmp) => ({ memcmp })) };
  const [item] = await batch([{ method: 'getProgramAccounts', params: [program, config] }], options);
  const { slot, value } = requireContext(item, options.endpoint.name);
  return { slot, value: readKeyedAccounts(value, options.endpoint.name) };
}

function accountConfig({ minSlot, dataSlice }: FetchOptions): Record<string, unknown> {
  return {
    encoding: 'base64',
    commitment: COMMITMENT,
    ...(minSlot > 0n ? { minContextSlot: Number(minSlot) } : {}),
    ...(dataSlice === undefined ? {} : { dataSlice }),
  };
}

async function batch(calls: readonly RpcCall[], { endpoint, signal }: FetchOptions): Promise<readonly RpcItem[]> {
  return calls.length === 0 ? [] : endpoint.batch(calls, { signal, maxBytes: MAX_BYTES });
}

function requireContext(item: RpcItem | undefined, provider: string): { slot: bigint; value: unknown } {
  if (item === undefined) throw malformed(provider);
  if (!item.ok) throw item.error;
  const answer = item.value;
  if (!isRecord(answer) || !isRecord(answer.context) || typeof answer.context.slot !== 'bigint') throw malformed(provider);
  return { slot: answer.context.slot, value: answer.value };
}

function readKeyedAccounts(value: unknown, provider: string): readonly RpcAccount[] {
  if (!Array.isArray(value)) throw malformed(provider);
  return value.map((entry: unknown) => {
    if (!isRecord(entry) || typeof entry.pubkey !== 'string') throw malformed(provider);
    return readAccount(entry.pubkey, entry.account, provider);
  });
}

function readAccount(address: string, raw: unknown, provider: string): RpcAccount {
  if (!isRecord(raw) || typeof raw.lamports !== 'bigint' || typeof raw.owner !== 'string' || !Array.isArray(raw.data)) {
    throw malformed(provider);
  }
  const [encoded, encoding]: unknown[] = raw.data;
  if (typeof encoded !== 'string' || encoding !== 'base64') throw malformed(provider);
  return { address, lamports: raw.lamports, owner: raw.owner, data: Buffer.from(encoded, 'base64') };
}

function capture<T>(task: () => T): T | AppError {
  try {
    return task();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function malformed(provider: string): AppError {
  return new AppError('upstream_malformed', `${provider} sent an answer of another shape.`, { provider });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
