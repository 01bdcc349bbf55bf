import type { HistoryStore } from '../../db/history/history-store.ts';
import type { QuoteAt, TransactionStore } from '../../db/ledger/transaction-store.ts';
import { Decimal } from '../../domain/decimal.ts';
import { type AssetRulesDeps, type RuledAsset, readAssetRules } from '../history/asset-rules.ts';
import type { Movement, Transaction } from './transaction-service.ts';

type ValueDeps = AssetRulesDeps & {
  readonly store: Pick<TransactionStore, 'readQuotes' | 'findUnread'>;
  readonly history: Pick<HistoryStore, 'readRates'>;
};

/** What each movement was worth when it happened, by what is known and said of its asset today. */
export async function valueMovements(
  deps: ValueDeps,
  tenantId: string,
  movements: readonly Movement[],
): Promise<readonly Transaction[]> {
  const moments = movements.map(({ assetId, occurredAt }) => ({ assetId, at: occurredAt }));
  const [rules, quotes, rates, pending] = await Promise.all([
    readAssetRules(deps, tenantId, [...new Set(movements.map(({ assetId }) => assetId))]),
    deps.store.readQuotes(moments),
    readRates(deps, movements),
    findPending(deps, tenantId, movements),
  ]);
  return movements.flatMap((movement, place) => {
    const rule = rules.get(movement.assetId);
    if (rule === undefined) return [];
    const price = choosePrice(movement, rule, quotes.get(place));
    return [toTransaction(movement, { rule, price, perUsd: rates.get(movement), isPending: pending.has(movement) })];
  });
}

/** What no entry explains since none was read so far. */
async function findPending(
  { store }: ValueDeps,
  tenantId: string,
  movements: readonly Movement[],
): Promise<ReadonlySet<Movement>> {
  const unexplained = movements.filter(({ type }) => type === 'unexplained');
  const shown = unexplained.map(({ walletId, assetId, occurredAt: at }) => ({ walletId, assetId, at }));
  const unread = await store.findUnread(tenantId, shown);
  return new Set(unexplained.filter((_, place) => unread.has(place)));
}

/** Units for a dollar then, of those movements whose price was written down in another currency. */
async function readRates(
  { history }: ValueDeps,
  movements: readonly Movement[],
): Promise<ReadonlyMap<Movement, Decimal | undefined>> {
  const priced = Map.groupBy(movements, ({ price }) => price?.currency ?? 'USD');
  const rates = new Map<Movement, Decimal | undefined>();
  for (const [currency, group] of priced) {
    const found =
      currency === 'USD'
        ? undefined
        : await history.readRates(
            currency,
            group.map(({ occurredAt }) => occurredAt),
          );
    for (const [place, movement] of group.entries()) rates.set(movement, found === undefined ? new Decimal(1) : found.get(place));
  }
  return rates;
}

/** The word on this very movement goes before the one on the asset, and that before all quotes. */
function choosePrice(movement: Movement, { manualPrice }: RuledAsset, quote: QuoteAt | undefined): Transaction['price'] {
  if (movement.price !== null) return { ...movement.price, source: 'entry', quotedAt: null };
  if (manualPrice !== null) return { value: manualPrice.value, currency: 'USD', source: 'manual', quotedAt: manualPrice.setAt };
  return quote === undefined ? null : { ...quote, currency: 'USD' };
}

type Figures = Pick<Transaction, 'price' | 'isPending'> & { readonly rule: RuledAsset; readonly perUsd: Decimal | undefined };

function toTransaction(movement: Movement, { rule, price, perUsd, isPending }: Figures): Transaction {
  const { asset, unit, isExcluded } = rule;
  const amount = unit === null ? null : unit.times(movement.amountRaw.toString());
  const valueReason =
    amount === null ? 'decimals_unknown' : price === null ? 'price_missing' : perUsd === undefined ? 'fx_missing' : null;
  const usdValue = amount === null || price === null || perUsd === undefined ? null : amount.times(price.value).div(perUsd);
  return { movement, asset, amount, price, usdValue, valueReason, isExcluded, isPending };
}
