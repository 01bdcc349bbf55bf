import type { Kysely, SelectQueryBuilder } from 'kysely';
import type { Asset } from '../domain/asset.ts';
import type { Schema } from './schema.ts';

/** A query whose rows are assets as the domain knows them. */
export function selectAssets(db: Kysely<Schema>): SelectQueryBuilder<Schema, 'assets', Asset> {
  return db.selectFrom('assets').select(['id', 'chain', 'address', 'standard', 'symbol', 'name', 'decimals', 'flags', 'listed']);
}
