import { type Kysely, sql, type Transaction } from 'kysely';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Block } from '../../domain/holding.ts';
import { noteChange } from '../data-version.ts';
import type { Schema } from '../schema.ts';
import type { TenantDb } from '../tenant-db.ts';
import { inTransaction } from '../transaction.ts';
import { rebuildBuckets } from './history-rebuild.ts';
import { findOldPrices } from './old-prices.ts';
import { type PastAmount, savePastHolding } from './past-amounts.ts';
import { addMissing, copyToBuckets, findNextKnown, removeMissing } from './past-snapshots.ts';
import { ensureMonth, lockHistory } from './snapshot-store.ts';

/** A moment that a snapshot tells without the balances of some wallets on a chain, which can be read again now. */
export type HistoryGap = {
  readonly tenantId: string;
  readonly chain: string;
  readonly at: Date;
  readonly walletIds: readonly string[];
};

/** What was held at the moment of a gap. */
export type GapFilling = Pick<HistoryGap, 'chain' | 'at'> & {
  readonly block: Block | null;
  readonly wallets: readonly { readonly walletId: string; readonly amounts: readonly PastAmount[] }[];
  readonly healedAt: Date;
};

export type GapQuery = { readonly chains: readonly string[]; readonly triedBefore: Date; readonly limit: number };

export type HealingStore = {
  /**
   * Gaps of these chains whose source has been read well since: those never tried, then those tried the longest ago; the newest of them first. What was before a wallet was added is none, nor what was tried lately.
   */
  listGaps(query: GapQuery): Promise<readonly HistoryGap[]>;
  /** Remembers when a gap could not be filled. */
  noteAttempt(gap: HistoryGap, attemptedAt: Date): Promise<void>;
  /** Fills a gap, as far as nobody else has by now. True when anything was filled. */
  fill(tenantId: string, filling: GapFilling): Promise<boolean>;
  /** Notes at a gap, and at all older ones of the chain, why they cannot be filled. */
  giveUp(gap: HistoryGap, code: ErrorCode): Promise<void>;
  /** Tokens that the wallets are known to have held on the chain, at any time. */
  listTokens(
    tenantId: string,
    place: { readonly chain: string; readonly walletIds: readonly string[] },
  ): Promise<readonly string[]>;
};

export function createHealingStore(db: TenantDb): HealingStore {
  return {
    listGaps: (query) => listGaps(db.all, query),
    async fill(tenantId, filling) {
      await ensureMonth(db.all, 'holding_points', filling.at);
      return inTransaction(db.of(tenantId), (trx) => fill(trx, tenantId, filling));
    },
    async noteAttempt({ tenantId, chain, at }, attemptedAt) {
      // It may have been thinned out by now.
      await sql`
        insert into healing_attempts (tenant_id, at, chain, attempted_at)
        select tenant_id, at, ${chain}, ${attemptedAt} from snapshots where tenant_id = ${tenantId} and at = ${at} for key share
        on conflict (tenant_id, at, chain) do update set attempted_at = excluded.attempted_at`.execute(db.of(tenantId));
    },
    giveUp: (gap, code) => inTransaction(db.of(gap.tenantId), (trx) => giveUp(trx, gap, code)),
    async listTokens(tenantId, { chain, walletIds }) {
      const { rows } = await sql<{ address: string }>`
        select distinct a.address from holding_series s join assets a on a.id = s.asset_id
        where s.tenant_id = ${tenantId} and s.chain = ${chain} and s.wallet_id = any(${[...walletIds]}::uuid[]) and a.address is not null
        order by a.address`.execute(db.of(tenantId));
      return rows.map(({ address }) => address);
    },
  };
}

/** As the index has it: a snapshot that lacks prices only, or what nobody can read, is not looked at. */
const HAS_GAPS = sql.raw(`s.missing @? '$[*] ? (@.kind == "balances" && @.reason != "unsupported")'`);

async function listGaps(db: Kysely<Schema>, { chains, triedBefore, limit }: GapQuery): Promise<readonly HistoryGap[]> {
  const { rows } = await sql<{ tenant_id: string; chain: string; at: Date; wallet_ids: string[] }>`
    select s.tenant_id, m.chain, s.at, array_agg(m."walletId"::text order by m."walletId") as wallet_ids
    from snapshots s
    cross join lateral jsonb_to_recordset(s.missing) as m ("walletId" uuid, chain text, kind text, reason text)
    join wallets w on w.tenant_id = s.tenant_id and w.id = m."walletId" and w.created_at <= s.at
    join sources c on c.tenant_id = s.tenant_id and c.wallet_id = w.id and c.chain = m.chain and c.kind = m.kind
    left join healing_attempts t on t.tenant_id = s.tenant_id and t.at = s.at and t.chain = m.chain
    where ${HAS_GAPS} and m.kind = 'balances' and m.reason <> 'unsupported' and m.chain = any(${[...chains]}::text[])
      and c.outcome = 'ok' and c.observed_at > s.at and (t.attempted_at is null or t.attempted_at <= ${triedBefore})
    group by s.tenant_id, m.chain, s.at, t.attempted_at
    order by t.attempted_at nulls first, s.at desc, s.tenant_id, m.chain limit ${limit}`.execute(db);
  return rows.map(({ tenant_id: tenantId, chain, at, wallet_ids: walletIds }) => ({ tenantId, chain, at, walletIds }));
}

async function fill(trx: Transaction<Schema>, tenantId: string, filling: GapFilling): Promise<boolean> {
  const { chain, at, block, wallets, healedAt } = filling;
  await lockHistory(trx, tenantId);
  const filled: { until: Date | null; assetIds: readonly string[] }[] = [];
  for (const { walletId, amounts } of wallets) {
    const source = { walletId, chain, kind: 'balances' } as const;
    if (!(await isMissing(trx, tenantId, { at, source }))) continue;
    const until = await findNextKnown(trx, tenantId, { ...source, at });
    await savePastHolding(trx, tenantId, { walletId, chain, at, block, until, amounts });
    await removeMissing(trx, tenantId, { ...source, at, healedAt });
    filled.push({ until, assetIds: amounts.map(({ assetId }) => assetId) });
  }
  if (filled.length === 0) return false;
  const assetIds = [...new Set(filled.flatMap((one) => one.assetIds))];
  await addMissing(trx, tenantId, { at, sources: await findOldPrices(trx, tenantId, { at, assetIds }) });
  await rebuildBuckets(trx, tenantId, { from: at, to: latest(filled.map(({ until }) => until)), assetIds });
  await noteChange(trx, tenantId);
  return true;
}

type Missing = {
  readonly at: Date;
  readonly source: { readonly walletId: string; readonly chain: string; readonly kind: 'balances' };
};

async function isMissing(trx: Transaction<Schema>, tenantId: string, { at, source }: Missing): Promise<boolean> {
  const { rows } = await sql`
    select from snapshots where tenant_id = ${tenantId} and at = ${at} and missing @> ${JSON.stringify([source])}::jsonb`.execute(
    trx,
  );
  return rows.length > 0;
}

/** null, for no end, is the latest of all. */
function latest(moments: readonly (Date | null)[]): Date | null {
  let last: Date | undefined;
  for (const moment of moments) {
    if (moment === null) return null;
    if (last === undefined || moment > last) last = moment;
  }
  return last ?? null;
}

async function giveUp(trx: Transaction<Schema>, { tenantId, chain, at, walletIds }: HistoryGap, code: ErrorCode): Promise<void> {
  await lockHistory(trx, tenantId);
  const isMeant = sql`m.entry->>'chain' = ${chain} and m.entry->>'kind' = 'balances' and m.entry->>'reason' <> 'unsupported'
    and m.entry->>'walletId' = any(${[...walletIds]}::text[])`;
  const { rows } = await sql<{ at: Date }>`
    update snapshots s set missing = (
      select jsonb_agg(case when ${isMeant} then m.entry || ${JSON.stringify({ code })}::jsonb else m.entry end order by m.place)
      from jsonb_array_elements(s.missing) with ordinality as m (entry, place)
    )
    where s.tenant_id = ${tenantId} and s.grade = 'partial' and s.at <= ${at} and exists (
      select from jsonb_array_elements(s.missing) as m (entry) where ${isMeant} and m.entry->>'code' is distinct from ${code}
    )
    returning s.at`.execute(trx);
  for (const row of rows) await copyToBuckets(trx, tenantId, row.at);
  if (rows.length > 0) await noteChange(trx, tenantId);
}
