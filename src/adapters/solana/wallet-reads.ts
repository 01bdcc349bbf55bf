import type { SolanaChain } from '../../domain/chain.ts';
import { AppError, toAppError } from '../../domain/errors.ts';
import type { Reading, SourceError } from '../../domain/holding.ts';
import type { EndpointPool } from '../../lib/json-rpc/endpoint-pool.ts';
import type { RpcEndpoint } from '../../lib/json-rpc/rpc-endpoint.ts';
import { CLOCK_SYSVAR, TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './programs.ts';
import { fetchAccounts, fetchTokenAccounts, type RpcAccount } from './solana-rpc.ts';
import { ACCOUNT_SIZE, readTokenAccount, readTokenMint, type TokenMint } from './token-layout.ts';
import { toUiAmount } from './ui-amount.ts';

export type ReadContext = { readonly chain: SolanaChain; readonly pool: EndpointPool; readonly signal: AbortSignal };

/** One wallet's free balances: all of them, at a slot that no part is older than. */
export type WalletRead = { readonly slot: bigint; readonly readings: readonly Reading[] } | { readonly error: SourceError };

/** What one mint adds up to over all token accounts of a wallet. */
type MintSum = { amountRaw: bigint; frozenRaw: bigint; readonly is2022: boolean };

type WalletSums = { readonly lamports: bigint; slot: bigint; readonly mints: Map<string, MintSum> };

/**
 * Reads SOL and all token accounts of both token programs for each wallet. Wallets that an endpoint fails to answer for are asked of the next one;
 * what nobody answers for is a failure of its own.
 */
export async function readWallets(addresses: readonly string[], context: ReadContext): Promise<ReadonlyMap<string, WalletRead>> {
  const reads = new Map<string, WalletRead>();
  let pending = addresses;
  try {
    await context.pool.run(async (endpoint) => {
      const { sums, failures } = await readFrom(endpoint, pending, context.signal);
      for (const [address, read] of await toReads(sums, { endpoint, ...context })) reads.set(address, read);
      pending = pending.filter((address) => failures.has(address));
      const [failure] = failures.values();
      if (failure !== undefined) throw failure;
    }, context.signal);
  } catch (error) {
    const { code, provider } = toAppError(error);
    for (const address of pending) reads.set(address, { error: { code, provider: provider ?? null } });
  }
  return reads;
}

type Sums = { readonly sums: ReadonlyMap<string, WalletSums>; readonly failures: ReadonlyMap<string, AppError> };

async function readFrom(endpoint: RpcEndpoint, addresses: readonly string[], signal: AbortSignal): Promise<Sums> {
  const sums = new Map<string, WalletSums>();
  const failures = new Map<string, AppError>();
  const accounts = await fetchAccounts(addresses, { endpoint, signal, minSlot: 0n, dataSlice: { offset: 0, length: 0 } });
  for (const [index, address] of addresses.entries()) {
    const account = accounts[index];
    if (account !== undefined)
      sums.set(address, { lamports: account.value?.lamports ?? 0n, slot: account.slot, mints: new Map() });
  }
  // No answer may be older than the first, or tokens that were sold for the SOL above would be counted again.
  const [minSlot = 0n] = accounts.map(({ slot }) => slot).sort((a, b) => Number(b - a));
  const dataSlice = { offset: 0, length: ACCOUNT_SIZE };
  for (const program of [TOKEN_PROGRAM, TOKEN_2022_PROGRAM]) {
    const answers = await fetchTokenAccounts(addresses, program, { endpoint, signal, minSlot, dataSlice });
    for (const [index, address] of addresses.entries()) {
      const answer = answers[index];
      const wallet = sums.get(address);
      if (answer instanceof AppError) failures.set(address, answer);
      else if (answer !== undefined && wallet !== undefined) addUp(wallet, answer.value, program === TOKEN_2022_PROGRAM);
    }
  }
  for (const address of failures.keys()) sums.delete(address);
  return { sums, failures };
}

/** An account that does not parse belongs to no mint that could be named: its program made it, so it is closed or not yet in use. */
function addUp(wallet: WalletSums, accounts: readonly RpcAccount[], is2022: boolean): void {
  for (const { data } of accounts) {
    const account = readTokenAccount(data);
    if (account === undefined) continue;
    const sum = wallet.mints.get(account.mint) ?? { amountRaw: 0n, frozenRaw: 0n, is2022 };
    sum.amountRaw += account.amountRaw;
    if (account.isFrozen) sum.frozenRaw += account.amountRaw;
    wallet.mints.set(account.mint, sum);
  }
}

type ReadingOptions = ReadContext & { readonly endpoint: RpcEndpoint };

async function toReads(sums: ReadonlyMap<string, WalletSums>, options: ReadingOptions): Promise<ReadonlyMap<string, WalletRead>> {
  const mints2022 = new Set(
    [...sums.values()].flatMap(({ mints }) => [...mints].filter(([, sum]) => sum.is2022).map(([mint]) => mint)),
  );
  const { mints, chainTime } = await readMints([...mints2022], options);
  const reads = new Map<string, WalletRead>();
  for (const [address, { lamports, slot, mints: held }] of sums) {
    const native: Reading = { status: 'ok', asset: refOf(options, null), amountRaw: lamports, frozenRaw: 0n, ui: null };
    const tokens = [...held].map(([mint, sum]) => toReading(mint, sum, { mint: mints.get(mint), chainTime, options }));
    reads.set(address, { slot, readings: [native, ...tokens] });
  }
  return reads;
}

function toReading(
  address: string,
  { amountRaw, frozenRaw, is2022 }: MintSum,
  { mint, chainTime, options }: { mint: TokenMint | undefined; chainTime: bigint; options: ReadingOptions },
): Reading {
  const asset = refOf(options, address);
  if (!is2022) return { status: 'ok', asset, amountRaw, frozenRaw, ui: null };
  // Without its mint nobody can tell what the amount means.
  if (mint === undefined)
    return { status: 'failed', asset, error: { code: 'upstream_malformed', provider: options.endpoint.name } };
  return { status: 'ok', asset, amountRaw, frozenRaw, ui: toUiAmount(amountRaw, mint, chainTime) };
}

function refOf({ chain }: ReadContext, address: string | null): { chain: string; address: string | null } {
  return { chain: chain.slug, address };
}

/** Mints with what they say of display, and the chain's own time, by which a new multiplier begins. */
async function readMints(
  addresses: readonly string[],
  { endpoint, signal }: ReadingOptions,
): Promise<{ mints: ReadonlyMap<string, TokenMint>; chainTime: bigint }> {
  if (addresses.length === 0) return { mints: new Map(), chainTime: 0n };
  const [clock, ...accounts] = await fetchAccounts([CLOCK_SYSVAR, ...addresses], {
    endpoint,
    signal,
    minSlot: 0n,
    dataSlice: MINT_SLICE,
  });
  const clockData = clock?.value?.data;
  if (clockData === undefined || clockData.length < 40) {
    throw new AppError('upstream_malformed', `${endpoint.name} does not tell the time.`, { provider: endpoint.name });
  }
  const mints = new Map<string, TokenMint>();
  for (const [index, address] of addresses.entries()) {
    const data = accounts[index]?.value?.data;
    const mint = data === undefined ? undefined : readTokenMint(data);
    if (mint !== undefined) mints.set(address, mint);
  }
  return { mints, chainTime: clockData.readBigInt64LE(32) };
}

/** Extensions of any honest mint fit, metadata included. */
export const MINT_SLICE = { offset: 0, length: 4096 };
