import { type Kysely, type Selectable, sql } from 'kysely';
import type { Schema } from '../../../src/db/schema.ts';
import { createWalletStore } from '../../../src/db/wallet-store.ts';
import { DEFAULT_TENANT_ID } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { addWallet } from '../../support/store-fixtures.ts';
import { CHAIN, type ImportWorld } from './import-world.ts';

export const ETHER = 10n ** 18n;

/** Two wallets that were just added and read, and what may happen to them. */
export type ImportStory = {
  readonly alice: Wallet;
  readonly bob: Wallet;
  /** An address that nobody follows. */
  readonly outsider: string;
  /** When the first snapshot was taken. */
  readonly before: Date;
  /** A deposit, a withdrawal, a payment between the two, and coins both ways; then the next snapshot. */
  live(): Promise<Date>;
  entries(): Promise<readonly Selectable<Schema['ledger_entries']>[]>;
  states(): Promise<readonly Selectable<Schema['transfer_imports']>[]>;
  end(): Promise<void>;
};

export async function startImportStory(world: ImportWorld): Promise<ImportStory> {
  const { db } = world.database;
  const [, first = '', second = '', outsider = ''] = world.accounts;
  const alice = await addWallet(db, DEFAULT_TENANT_ID, { address: first, chains: [CHAIN.slug] });
  const bob = await addWallet(db, DEFAULT_TENANT_ID, { address: second, chains: [CHAIN.slug] });
  const before = await world.observe([alice, bob]);
  world.reports.length = 0;
  world.lines.length = 0;
  return {
    alice,
    bob,
    outsider,
    before,
    async live() {
      await world.transfer(world.token, { from: outsider, to: first, amount: 500n });
      await world.transfer(world.token, { from: first, to: outsider, amount: 120n });
      await world.transfer(world.otherToken, { from: first, to: second, amount: 30n });
      await world.send(outsider, { to: second, value: ETHER });
      await world.send(second, { to: first, value: 7n });
      await world.finalize();
      return world.observe([alice, bob]);
    },
    entries: () => db.selectFrom('ledger_entries').selectAll().orderBy('occurred_at').orderBy('reference').execute(),
    states: () => db.selectFrom('transfer_imports').selectAll().orderBy('wallet_id').execute(),
    async end() {
      const wallets = createWalletStore(world.database.tenants);
      for (const { id } of await wallets.listAll(DEFAULT_TENANT_ID, { walletIds: null }))
        await wallets.delete(DEFAULT_TENANT_ID, id);
      await forgetPast(db);
    },
  };
}

/** What was ever known of wallets that were deleted: whoever comes back is new. */
export async function forgetPast(db: Kysely<Schema>): Promise<void> {
  await sql`truncate removed_wallets, holding_points, holding_series`.execute(db);
}
