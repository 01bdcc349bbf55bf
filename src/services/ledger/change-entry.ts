import type { EntryChange, EntryToChange } from '../../db/ledger/entry-changes.ts';
import { formatDecimal, parseDecimal } from '../../domain/decimal.ts';
import { AppError, type RequestIssue } from '../../domain/errors.ts';
import { checkPrice, checkTime, type EntryInput } from '../../domain/ledger/entry-input.ts';
import { type AddDeps, contentReference, isContentReference } from './add-entries.ts';
import type { Transaction } from './transaction-service.ts';
import { valueMovements } from './value-movements.ts';

/** An entry with what it is worth, and its version. */
export type VersionedTransaction = { readonly transaction: Transaction; readonly version: number };

/** What is to be another; what is left out stays. */
export type EntryPatch = {
  readonly occurredAt?: Date;
  readonly price?: EntryInput['price'];
  readonly note?: string | null;
};

/** Throws transaction_not_found. */
export async function getEntry(deps: AddDeps, tenantId: string, id: string): Promise<VersionedTransaction> {
  const [entry] = await deps.store.getMany(tenantId, [id]);
  if (entry === undefined) throw notFound();
  const { version, ...movement } = entry;
  const [transaction] = await valueMovements(deps, tenantId, [movement]);
  if (transaction === undefined) throw notFound();
  return { transaction, version };
}

/** Throws transaction_not_found, transaction_from_chain, duplicate_transaction, invalid_request, precondition_failed. */
export async function updateEntry(
  deps: AddDeps,
  tenantId: string,
  { patch, ...place }: EntryToChange & { readonly patch: EntryPatch },
): Promise<VersionedTransaction> {
  const outcome = await deps.store.update(tenantId, { ...place, change: toChange(patch, deps.now()) });
  if (outcome === 'duplicate')
    throw new AppError('duplicate_transaction', 'There is another entry of this wallet that would be the same.');
  if (outcome !== 'updated') throw refusal(outcome);
  return getEntry(deps, tenantId, place.id);
}

/** Throws transaction_not_found, transaction_from_chain, precondition_failed. */
export async function deleteEntry({ store }: Pick<AddDeps, 'store'>, tenantId: string, place: EntryToChange): Promise<void> {
  const outcome = await store.delete(tenantId, place);
  if (outcome !== 'deleted') throw refusal(outcome);
}

/** An entry without a reference of its own is told from others by what it says, so that its reference goes along. */
function toChange({ occurredAt, price, note }: EntryPatch, now: Date): EntryChange {
  const faults = [
    ...(occurredAt === undefined ? [] : checkTime(occurredAt, now)),
    ...(price === undefined ? [] : checkPrice(price)),
  ];
  const issues = faults.map(({ field, code, message }): RequestIssue => ({ pointer: `/body/${field}`, code, message }));
  if (issues.length > 0) throw new AppError('invalid_request', issues[0]?.message ?? '', { issues });
  const value = price == null ? undefined : parseDecimal(price.value);
  const given = price == null || value === undefined ? null : { value, currency: price.currency };
  return (entry) => {
    const changed = {
      occurredAt: occurredAt ?? entry.occurredAt,
      price: price === undefined ? entry.price : given,
      note: note === undefined ? entry.note : note,
    };
    if (!isContentReference(entry.reference)) return { ...changed, reference: entry.reference };
    const written = changed.price && { value: formatDecimal(changed.price.value), currency: changed.price.currency };
    return { ...changed, reference: contentReference({ ...entry, ...changed, price: written }, entry) };
  };
}

function refusal(outcome: 'not_found' | 'from_chain'): AppError {
  if (outcome === 'not_found') return notFound();
  return new AppError('transaction_from_chain', 'What was read from a chain can neither be changed nor taken away.');
}

function notFound(): AppError {
  return new AppError('transaction_not_found', 'There is no transaction of this id.');
}
