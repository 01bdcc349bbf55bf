import { toRawAmount } from '../amount.ts';
import type { Asset } from '../asset.ts';
import { type Decimal, formatDecimal, parseDecimal } from '../decimal.ts';
import type { Wallet } from '../wallet.ts';
import type { EntryType } from './ledger.ts';

/** A movement as somebody writes it down, before anything of it is looked up. */
export type EntryInput = {
  readonly walletId: string;
  /** A UUID or CAIP-19 id, or a chain and the token's address on it (null: the chain's own coin). */
  readonly asset: string | { readonly chain: string; readonly address: string | null };
  readonly type: EntryType;
  /** Exact digits in whole units; below zero for what went out. */
  readonly amount: string;
  readonly occurredAt: Date;
  /** What one whole cost or brought. */
  readonly price: { readonly value: string; readonly currency: string } | null;
  readonly note: string | null;
  /** The writer's own id of it, unique within the wallet. */
  readonly reference: string | null;
};

/** What is wrong with one field of one input. */
export type EntryFault = { readonly index: number; readonly field: EntryField; readonly code: string; readonly message: string };
export type EntryField = 'wallet_id' | 'asset_id' | 'type' | 'amount' | 'occurred_at' | 'price' | 'reference';

/** What the ledger can hold: `numeric(78, 0)`. */
const MAX_RAW = 10n ** 78n - 1n;
/** Before there was any chain. */
const EARLIEST_MS = Date.UTC(2009, 0, 1);
/** Clocks differ. */
const MAX_AHEAD_MS = 60_000;

const SIGNS: Partial<Record<EntryType, 1 | -1>> = { deposit: 1, income: 1, withdrawal: -1, fee: -1 };

/** A movement that is fit to be stored, or all that stands in its way. */
export type CheckedEntry = { readonly amountRaw: bigint; readonly price: Decimal | null } | readonly Omit<EntryFault, 'index'>[];

/** Checks an input against its wallet and its asset, undefined where there is none of the kind. */
export function checkEntry(
  input: EntryInput,
  { wallet, asset, now }: { readonly wallet: Wallet | undefined; readonly asset: Asset | undefined; readonly now: Date },
): CheckedEntry {
  const price = input.price === null ? null : parseDecimal(input.price.value);
  const amount = asset === undefined ? null : toAmount(input, asset);
  const faults = [
    ...(wallet === undefined ? [fault('wallet_id', 'wallet_not_found', 'There is no wallet of this id.')] : []),
    ...(asset === undefined ? [fault('asset_id', 'asset_not_found', 'There is no asset of this id.')] : []),
    ...(wallet !== undefined && asset !== undefined && !wallet.chains.includes(asset.chain)
      ? [fault('asset_id', 'chain_not_followed', `This wallet is not followed on ${asset.chain}.`)]
      : []),
    ...checkTime(input.occurredAt, now),
    ...checkPrice(input.price),
    ...(typeof amount === 'bigint' || amount === null ? [] : [amount]),
  ];
  return faults.length > 0 || typeof amount !== 'bigint' || price === undefined ? faults : { amountRaw: amount, price };
}

function toAmount({ amount: text, type }: EntryInput, { decimals }: Asset): bigint | Omit<EntryFault, 'index'> {
  const amount = parseDecimal(text);
  if (amount === undefined) return fault('amount', 'invalid_number', 'Give plain digits, with a minus for what went out.');
  if (amount.isZero()) return fault('amount', 'zero', 'An entry moves something.');
  const sign = SIGNS[type];
  if (sign === 1 && amount.isNegative()) return fault('amount', 'wrong_sign', `The amount of this type (${type}) is above zero.`);
  if (sign === -1 && amount.isPositive())
    return fault('amount', 'wrong_sign', `The amount of this type (${type}) is below zero.`);
  if (decimals === null) return fault('asset_id', 'decimals_unknown', 'The decimals of this asset are not known.');
  const raw = toRawAmount(amount, decimals);
  if (raw === undefined) return fault('amount', 'too_precise', `This asset has ${decimals} decimals.`);
  return raw > MAX_RAW || raw < -MAX_RAW ? fault('amount', 'too_large', 'No wallet can hold this much.') : raw;
}

/** What is wrong with a price, if anything. */
export function checkPrice(price: EntryInput['price']): readonly Omit<EntryFault, 'index'>[] {
  const value = price === null ? null : parseDecimal(price.value);
  return value === undefined || value?.isNegative()
    ? [fault('price', 'invalid_number', 'Give plain digits, not below zero.')]
    : [];
}

/** What is wrong with a time, if anything. */
export function checkTime(occurredAt: Date, now: Date): readonly Omit<EntryFault, 'index'>[] {
  if (occurredAt.getTime() < EARLIEST_MS) return [fault('occurred_at', 'too_early', 'There was no chain at this time.')];
  if (occurredAt.getTime() > now.getTime() + MAX_AHEAD_MS)
    return [fault('occurred_at', 'in_future', 'This time is yet to come.')];
  return [];
}

function fault(field: EntryField, code: string, message: string): Omit<EntryFault, 'index'> {
  return { field, code, message };
}

/** What makes two inputs the same movement when neither has a reference: its text is to be hashed. */
export function entryContent(
  input: Pick<EntryInput, 'walletId' | 'type' | 'occurredAt' | 'price'>,
  { assetId, amountRaw }: { assetId: string; amountRaw: bigint },
): string {
  const { walletId, type, occurredAt, price } = input;
  const value = price === null ? null : parseDecimal(price.value);
  const cost = price === null || value == null ? null : [formatDecimal(value), price.currency];
  return JSON.stringify([walletId, assetId, type, occurredAt.toISOString(), amountRaw.toString(), cost]);
}
