import { AppError } from '../../domain/errors.ts';
import { type Reading, type SourceError, toSourceError } from '../../domain/holding.ts';
import type { MintRead } from './mint-reads.ts';
import { WRAPPED_SOL_MINTS } from './programs.ts';
import type { TokenSum } from './token-sums.ts';
import { toUiAmount } from './ui-amount.ts';
import type { WalletRead } from './wallet-reads.ts';

const UNREADABLE: SourceError = { code: 'upstream_malformed', provider: null };

/**
 * A wallet's readings: SOL first, with wrapped SOL in it, then a reading for each mint. A mint or account that cannot be read fails only its own asset.
 */
export function toReadings(
  chain: string,
  { lamports, tokens, tokens2022 }: WalletRead,
  mints: ReadonlyMap<string, MintRead | AppError>,
): readonly Reading[] {
  const all = [...tokens, ...tokens2022];
  const wrapped = all.flatMap(([mint, sum]) => (WRAPPED_SOL_MINTS.has(mint) ? [sum] : []));
  const isKept = ([mint]: readonly [string, unknown]): boolean => !WRAPPED_SOL_MINTS.has(mint);
  return [
    nativeReading(chain, lamports, wrapped),
    ...[...tokens].filter(isKept).map(([mint, sum]) => tokenReading({ chain, address: mint }, sum)),
    ...[...tokens2022].filter(isKept).map(([mint, sum]) => token2022Reading({ chain, address: mint }, sum, mints.get(mint))),
  ];
}

function nativeReading(chain: string, lamports: bigint, wrapped: readonly (TokenSum | null)[]): Reading {
  let sum: TokenSum | null = { amountRaw: lamports, frozenRaw: 0n };
  for (const part of wrapped) sum = part === null || sum === null ? null : { ...sum, amountRaw: sum.amountRaw + part.amountRaw };
  return tokenReading({ chain, address: null }, sum);
}

function tokenReading(asset: Reading['asset'], sum: TokenSum | null): Reading {
  if (sum === null) return { status: 'failed', asset, error: UNREADABLE };
  return { status: 'ok', asset, ...sum, ui: null };
}

/** Without its mint nobody can tell whether the raw amount is what wallets show. */
function token2022Reading(asset: Reading['asset'], sum: TokenSum | null, read: MintRead | AppError | undefined): Reading {
  if (sum === null) return { status: 'failed', asset, error: UNREADABLE };
  if (read instanceof AppError) return { status: 'failed', asset, error: toSourceError(read) };
  if (read === undefined || read.mint === null) return { status: 'failed', asset, error: UNREADABLE };
  return { status: 'ok', asset, ...sum, ui: toUiAmount(sum.amountRaw, read.mint, read.chainTime) };
}
