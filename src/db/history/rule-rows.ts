import { sql } from 'kysely';
import type { AssetRule } from './history-store.ts';

/** How assets are valued, as rows of a query: `r (asset_id, unit, manual_price)`. */
export function ruleRows(rules: readonly AssetRule[]): ReturnType<typeof sql> {
  return sql`unnest(
    ${rules.map(({ assetId }) => assetId)}::uuid[],
    ${rules.map(({ unit }) => unit)}::numeric[],
    ${rules.map(({ manualPrice }) => manualPrice)}::numeric[]
  ) as r (asset_id, unit, manual_price)`;
}
