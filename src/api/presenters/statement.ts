import { toDecimalAmount } from '../../domain/amount.ts';
import { formatDecimal } from '../../domain/decimal.ts';
import type { StatedHolding } from '../../services/history/state-holdings.ts';
import type { Statement, StatementTotal } from '../../services/history/statement-service.ts';
import type { CsvForm } from '../csv.ts';
import type { StatementWire } from '../schemas/statements.ts';
import { type ChainsBySlug, presentAssetIdentity } from './asset.ts';
import { presentBlock, presentDecimal, presentMoment } from './figures.ts';

/** Holdings and values at the close of a day. */
export function presentStatement(statement: Statement, chains: ChainsBySlug): StatementWire {
  const { day, snapshot, rate, estimates, holdings } = statement;
  const secondsBefore = (moment: Date): number => Math.max(0, Math.floor((day.end.getTime() - moment.getTime()) / 1000));
  return {
    date: statement.date,
    tz: statement.timeZone,
    currency: statement.currency,
    closed_at: day.end.toISOString(),
    snapshot: { at: snapshot.at.toISOString(), grade: snapshot.grade, seconds_before_close: secondsBefore(snapshot.at) },
    fx: {
      rate: presentDecimal(rate?.perUsd ?? null),
      source: rate?.source ?? null,
      quoted_at: presentMoment(rate?.quotedAt ?? null),
    },
    ...presentTotal(statement),
    complete: estimates.length === 0 && statement.unpricedCount === 0 && rate !== null,
    excluded_count: statement.excludedCount,
    estimated: estimates.map(({ reason, walletId, chain, kind, assetId, asOf }) => ({
      reason,
      wallet_id: walletId,
      chain,
      kind,
      asset_uuid: assetId,
      as_of: presentMoment(asOf),
      seconds_before_close: asOf === null ? null : secondsBefore(asOf),
    })),
    holdings: holdings.map((holding) => presentHolding(holding, { statement, chains })),
    by_asset: presentAssets(statement, chains),
    by_chain: [...statement.byChain].map(([chain, total]) => ({ chain, ...presentTotal(total) })),
    by_wallet: [...statement.byWallet].map(([id, total]) => ({ ...nameWallet(statement, id), ...presentTotal(total) })),
  };
}

function presentTotal({
  usdValue,
  value,
  unpricedCount,
}: StatementTotal): Pick<StatementWire, 'usd_value' | 'value' | 'unpriced_count'> {
  return { usd_value: formatDecimal(usdValue), value: presentDecimal(value), unpriced_count: unpricedCount };
}

function presentHolding(
  { asset, price, block, ...holding }: StatedHolding,
  { statement, chains }: { readonly statement: Statement; readonly chains: ChainsBySlug },
): StatementWire['holdings'][number] {
  return {
    ...nameWallet(statement, holding.walletId),
    ...presentAssetIdentity(asset, chains),
    asset_uuid: asset.id,
    position: holding.position,
    balance_raw: holding.amountRaw.toString(),
    balance: presentDecimal(holding.amount),
    block: presentBlock(block),
    price: {
      value: presentDecimal(price?.value ?? null),
      source: price?.source ?? null,
      quoted_at: presentMoment(price?.quotedAt ?? null),
    },
    usd_value: presentDecimal(holding.usdValue),
    value: presentDecimal(holding.value),
    value_reason: holding.valueReason,
  };
}

function nameWallet(
  { wallets }: Statement,
  id: string,
): Pick<StatementWire['by_wallet'][number], 'wallet_id' | 'address' | 'label'> {
  const wallet = wallets.get(id);
  return { wallet_id: id, address: wallet?.address ?? null, label: wallet?.label ?? null };
}

function presentAssets({ byAsset, holdings }: Statement, chains: ChainsBySlug): StatementWire['by_asset'] {
  return [...Map.groupBy(holdings, ({ asset }) => asset)].flatMap(([asset, group]) => {
    const total = byAsset.get(asset.id);
    if (total === undefined) return [];
    const amountRaw = group.reduce((sum, holding) => sum + holding.amountRaw, 0n);
    const balance = asset.decimals === null ? null : formatDecimal(toDecimalAmount(amountRaw, asset.decimals));
    return [{ ...presentAssetIdentity(asset, chains), asset_uuid: asset.id, balance, ...presentTotal(total) }];
  });
}

/** A line for each holding; what is estimated of it stands beside it. */
export const statementCsv: CsvForm<StatementWire> = {
  columns: [
    'date',
    'tz',
    'closed_at',
    'snapshot_at',
    'wallet_id',
    'address',
    'label',
    'chain',
    'asset_id',
    'token_symbol',
    'position',
    'balance',
    'block',
    'price_usd',
    'price_source',
    'price_quoted_at',
    'usd_value',
    'currency',
    'value',
    'value_reason',
    'estimated',
  ],
  *rows(statement) {
    for (const holding of statement.holdings) {
      yield [
        statement.date,
        statement.tz,
        statement.closed_at,
        statement.snapshot.at,
        holding.wallet_id,
        holding.address,
        holding.label,
        holding.chain,
        holding.asset_id,
        holding.token_symbol,
        holding.position,
        holding.balance,
        holding.block?.number ?? null,
        holding.price.value,
        holding.price.source,
        holding.price.quoted_at,
        holding.usd_value,
        statement.currency,
        holding.value,
        holding.value_reason,
        listReasons(statement, holding),
      ];
    }
  },
};

function listReasons({ estimated }: StatementWire, holding: StatementWire['holdings'][number]): string {
  const kind = holding.position === 'stake' ? 'stake' : 'balances';
  const concerns = (named: string | null, own: string): boolean => named === null || named === own;
  const reasons = estimated.filter(
    (estimate) =>
      concerns(estimate.wallet_id, holding.wallet_id) &&
      concerns(estimate.chain, holding.chain) &&
      concerns(estimate.kind, kind) &&
      concerns(estimate.asset_uuid, holding.asset_uuid),
  );
  return [...new Set(reasons.map(({ reason }) => reason))].join(' ');
}
