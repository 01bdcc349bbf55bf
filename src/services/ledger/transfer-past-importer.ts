import type { TransferImportStore } from '../../db/ledger/transfer-import-store.ts';
import type { PastClaim, TransferPastStore } from '../../db/ledger/transfer-past-store.ts';
import type { OnTransferImport } from './transfer-importer.ts';
import type { TransferReader } from './transfer-reader.ts';

/** Imports what moved before the first block that the ledger of a wallet knows. */
export type PastImporter = {
  /** Goes on until nothing is left, something fails, or `until` fires; then the claim is over. */
  run(claim: PastClaim, signal: AbortSignal, until: AbortSignal): Promise<void>;
};

type PastImporterDeps = {
  readonly imports: Pick<TransferImportStore, 'release'>;
  readonly pasts: Pick<TransferPastStore, 'save'>;
  readonly reader: TransferReader;
  readonly leaseSeconds: number;
  readonly onImport: OnTransferImport;
};

export function createPastImporter({ imports, pasts, reader, leaseSeconds, onImport }: PastImporterDeps): PastImporter {
  /** Gives what is left. */
  const readOn = async (claim: PastClaim, signal: AbortSignal): Promise<PastClaim | undefined> => {
    const { chain, fromBlock, toBlock } = claim;
    const [reading] = await reader.read([claim], signal);
    if (signal.aborted) return undefined;
    if (reading?.status !== 'ok') {
      onImport({ chain, outcome: reading?.error.code ?? 'upstream_malformed', added: 0 });
      return undefined;
    }
    const { cursor, hasNative } = reading;
    const throughBlock = reading.through?.number ?? null;
    const isDone = cursor === null && throughBlock !== null && throughBlock >= toBlock;
    const entries = (await reader.toEntries([reading], signal))(reading);
    const saved = await pasts.save(claim, { entries, throughBlock, cursor, isDone, hasNative }, { leaseSeconds });
    if (saved === undefined) return undefined;
    onImport({ chain, outcome: 'ok', added: saved.added });
    if (cursor === null) return undefined;
    return { ...claim, fromBlock: throughBlock === null ? fromBlock : throughBlock + 1n, cursor };
  };
  return {
    async run(claim, signal, until) {
      try {
        let left: PastClaim | undefined = claim;
        while (left !== undefined && !until.aborted) left = await readOn(left, signal);
      } finally {
        await imports.release(claim.claimId);
      }
    },
  };
}
