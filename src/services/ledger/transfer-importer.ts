import type { BalanceSource } from '../../adapters/balance-source.ts';
import type { TransferQuery, TransferReading, TransferSource } from '../../adapters/transfer-source.ts';
import type { ImportClaim, ImportedWallet, ImportOutcome, TransferImportStore } from '../../db/transfer-import-store.ts';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { AppError } from '../../domain/errors.ts';
import { type SourceError, toSourceError } from '../../domain/holding.ts';
import type { NewLedgerEntry, Transfer } from '../../domain/ledger.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { createTransferAssets, type TransferAssetsDeps } from './transfer-assets.ts';
import type { TransferImportService } from './transfer-import-service.ts';

/** Hears how reading on went for wallets that were read together, as `ok` or the first error's code, and how many entries were new. */
export type OnTransferImport = (report: { readonly chain: string; readonly outcome: string; readonly added: number }) => void;

/** Imports the transfers of one chain. */
export type TransferImporter = {
  readonly chain: string;
  /** Reads all wallets on that are due. With `until` it ends once what is in hand is stored. Rejects when the database fails. */
  run(signal: AbortSignal, until: AbortSignal): Promise<void>;
  readonly importRange: TransferImportService['importRange'];
};

export type ImporterDeps = TransferAssetsDeps & {
  readonly imports: Pick<TransferImportStore, 'claim' | 'save' | 'release' | 'saveRange' | 'listTokens'>;
  /** How often it is run. */
  readonly everySeconds: number;
  readonly onImport: OnTransferImport;
};

type ImportedChain = { readonly chain: Chain; readonly source: TransferSource; readonly describer: BalanceSource };

/** As many as one request carries. */
const WALLETS_TOGETHER = 100;
/** Calls for the same wallets in a row, before others have their turn. */
const MOST_ROUNDS = 10;
const READ_DEADLINE_MS = 60_000;
/** Longer than a read and storing what it found. */
const LEASE_SECONDS = 120;

export function createTransferImporter(deps: ImporterDeps, target: ImportedChain): TransferImporter {
  const { imports, everySeconds, onImport } = deps;
  const chain = target.chain.slug;
  const reader = createReader(deps, target);

  /** Gives the wallets that are not read to the end. */
  const readOn = async (claim: ImportClaim, wallets: readonly ImportedWallet[], signal: AbortSignal) => {
    const readings = await reader.read(wallets.map(toQuery), signal);
    const entriesOf = await reader.toEntries(readings, signal);
    // What a stop has cut off says nothing of the chain.
    if (signal.aborted) return [];
    const outcomes = wallets.map((wallet) => toOutcome(wallet, readings, entriesOf));
    const saved = await imports.save(claim, outcomes, { leaseSeconds: LEASE_SECONDS });
    if (saved === undefined) return [];
    const [error] = outcomes.flatMap((one) => (one.status === 'ok' ? [] : [one.error.code]));
    onImport({ chain, outcome: error ?? 'ok', added: saved.added });
    return wallets.flatMap((wallet) => toUnfinished(wallet, outcomes));
  };
  const runClaim = async (claim: ImportClaim, signal: AbortSignal, until: AbortSignal): Promise<void> => {
    try {
      let { wallets } = claim;
      for (let round = 0; wallets.length > 0 && round < MOST_ROUNDS && !until.aborted; round++) {
        wallets = await readOn(claim, wallets, signal);
      }
    } finally {
      await imports.release(claim.claimId);
    }
  };
  return {
    chain,
    async run(signal, until) {
      const startedAt = performance.now();
      while (!until.aborted) {
        // What failed in this run is left to the next one.
        const notForSeconds = Math.max(everySeconds / 2, (performance.now() - startedAt) / 1000);
        const claim = await imports.claim(chain, { limit: WALLETS_TOGETHER, notForSeconds, leaseSeconds: LEASE_SECONDS });
        if (claim === undefined) return;
        await runClaim(claim, signal, until);
      }
    },
    async importRange({ tenantId, walletId, address, fromBlock, toBlock, cursor }, signal) {
      const [reading] = await reader.read([{ walletId, address, fromBlock, toBlock, cursor }], signal);
      if (reading?.status !== 'ok') throw toError(reading?.error);
      const { through, hasNative } = reading;
      const isDone = reading.cursor === null && through !== null && through.number >= toBlock;
      const entries = (await reader.toEntries([reading], signal))(reading);
      const { added } = await imports.saveRange(tenantId, { walletId, chain, fromBlock, toBlock, isDone, hasNative, entries });
      const nextBlock = through === null ? fromBlock : through.number + 1n;
      return { nextBlock, cursor: reading.cursor, isDone, added, hasNative };
    },
  };
}

type GoodReading = Extract<TransferReading, { status: 'ok' }>;
type EntriesOf = (reading: GoodReading) => readonly NewLedgerEntry[];

function createReader(deps: TransferAssetsDeps, { chain, source, describer }: ImportedChain) {
  const assets = createTransferAssets(deps, { chain, describer });
  return {
    async read(queries: readonly TransferQuery[], signal: AbortSignal): Promise<readonly TransferReading[]> {
      const tokens = await assets.listTokens();
      const deadline = startDeadline(signal, READ_DEADLINE_MS);
      try {
        return await source.readTransfers(queries, { signal: deadline.signal, tokens });
      } catch (error) {
        const failure: SourceError = deadline.isPast ? { code: 'upstream_timeout', provider: null } : toSourceError(error);
        return queries.map(({ walletId }) => ({ walletId, status: 'failed', error: failure }));
      } finally {
        deadline.end();
      }
    },
    async toEntries(readings: readonly TransferReading[], signal: AbortSignal): Promise<EntriesOf> {
      const transfers = readings.flatMap((reading) => (reading.status === 'ok' ? reading.transfers : []));
      const idOf = await assets.findIds(transfers, signal);
      return ({ walletId, transfers: told }) => told.flatMap((transfer) => toEntry(walletId, transfer, idOf));
    },
  };
}

function toQuery({ walletId, address, fromBlock, throughBlock, cursor }: ImportedWallet): TransferQuery {
  return { walletId, address, fromBlock: throughBlock === null ? fromBlock : throughBlock + 1n, toBlock: null, cursor };
}

function toEntry(
  walletId: string,
  { asset, kind, ...transfer }: Transfer,
  idOf: (asset: AssetRef) => string | undefined,
): readonly NewLedgerEntry[] {
  const assetId = idOf(asset);
  if (assetId === undefined) return [];
  return [{ ...transfer, walletId, chain: asset.chain, assetId, kind, origin: 'chain', price: null, note: null }];
}

/** A wallet that the reading left out is a failure, never silence. */
function toOutcome({ walletId }: ImportedWallet, readings: readonly TransferReading[], entriesOf: EntriesOf): ImportOutcome {
  const reading = readings.find((one) => one.walletId === walletId);
  if (reading === undefined) return { walletId, status: 'failed', error: { code: 'upstream_malformed', provider: null } };
  if (reading.status !== 'ok') return { walletId, status: reading.status, error: reading.error };
  const { cursor, hasNative, through } = reading;
  return { walletId, status: 'ok', entries: entriesOf(reading), throughBlock: through?.number ?? null, cursor, hasNative };
}

function toUnfinished(wallet: ImportedWallet, outcomes: readonly ImportOutcome[]): readonly ImportedWallet[] {
  const outcome = outcomes.find(({ walletId }) => walletId === wallet.walletId);
  if (outcome?.status !== 'ok' || outcome.cursor === null) return [];
  return [{ ...wallet, throughBlock: outcome.throughBlock ?? wallet.throughBlock, cursor: outcome.cursor }];
}

function toError(error: SourceError | undefined): AppError {
  const { code, provider } = error ?? { code: 'upstream_malformed', provider: null };
  return new AppError(code, 'Transfers could not be read.', provider === null ? {} : { provider });
}
