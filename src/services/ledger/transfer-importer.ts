import type { TransferQuery, TransferReading } from '../../adapters/transfer-source.ts';
import type { ImportClaim, ImportedWallet, ImportOutcome, TransferImportStore } from '../../db/ledger/transfer-import-store.ts';
import type { TransferPastStore } from '../../db/ledger/transfer-past-store.ts';
import type { SourceError } from '../../domain/holding.ts';
import { createPastImporter } from './transfer-past-importer.ts';
import { createTransferReader, type EntriesOf, type ImportedChain, type TransferReaderDeps } from './transfer-reader.ts';

/** Hears how reading on went for wallets that were read together, as `ok` or the first error's code, and how many entries were new. */
export type OnTransferImport = (report: { readonly chain: string; readonly outcome: string; readonly added: number }) => void;

/** Imports the transfers of one chain. */
export type TransferImporter = {
  readonly chain: string;
  /** Reads all wallets on that are due, and then what was asked for of their past. With `until` it ends once what is in hand is stored. Rejects when the database fails. */
  run(signal: AbortSignal, until: AbortSignal): Promise<void>;
};

export type ImporterDeps = TransferReaderDeps & {
  readonly imports: Pick<TransferImportStore, 'claim' | 'save' | 'release' | 'listTokens'>;
  readonly pasts: TransferPastStore;
  /** How often it is run. */
  readonly everySeconds: number;
  readonly onImport: OnTransferImport;
};

/** As many as one request carries. */
const WALLETS_TOGETHER = 100;
/** Calls for the same wallets in a row, before others have their turn. */
const MOST_ROUNDS = 10;
/** Nothing was said of a wallet. */
const NOT_READ: SourceError = { code: 'upstream_malformed', provider: null };
/** Longer than a read and storing what it found. */
const LEASE_SECONDS = 120;

export function createTransferImporter(deps: ImporterDeps, target: ImportedChain): TransferImporter {
  const { imports, pasts, everySeconds, onImport } = deps;
  const chain = target.chain.slug;
  const reader = createTransferReader(deps, target);
  const pastImporter = createPastImporter({ imports, pasts, reader, leaseSeconds: LEASE_SECONDS, onImport });

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
        const options = { notForSeconds, leaseSeconds: LEASE_SECONDS };
        const claim = await imports.claim(chain, { ...options, limit: WALLETS_TOGETHER });
        // What happens now goes before what is past.
        const past = claim === undefined ? await pasts.claim(chain, options) : undefined;
        if (claim !== undefined) await runClaim(claim, signal, until);
        else if (past !== undefined) await pastImporter.run(past, signal, until);
        else return;
      }
    },
  };
}

function toQuery({ walletId, address, fromBlock, throughBlock, cursor }: ImportedWallet): TransferQuery {
  return { walletId, address, fromBlock: throughBlock === null ? fromBlock : throughBlock + 1n, toBlock: null, cursor };
}

/** A wallet that the reading left out is a failure, never silence. */
function toOutcome({ walletId }: ImportedWallet, readings: readonly TransferReading[], entriesOf: EntriesOf): ImportOutcome {
  const reading = readings.find((one) => one.walletId === walletId);
  if (reading === undefined) return { walletId, status: 'failed', error: NOT_READ };
  if (reading.status !== 'ok') return { walletId, status: reading.status, error: reading.error };
  const { cursor, hasNative, through } = reading;
  return { walletId, status: 'ok', entries: entriesOf(reading), throughBlock: through?.number ?? null, cursor, hasNative };
}

function toUnfinished(wallet: ImportedWallet, outcomes: readonly ImportOutcome[]): readonly ImportedWallet[] {
  const outcome = outcomes.find(({ walletId }) => walletId === wallet.walletId);
  if (outcome?.status !== 'ok' || outcome.cursor === null) return [];
  return [{ ...wallet, throughBlock: outcome.throughBlock ?? wallet.throughBlock, cursor: outcome.cursor }];
}
