import type { BalanceSource } from '../../adapters/balance-source.ts';
import type { TransferSource } from '../../adapters/transfer-source.ts';
import type { ImportLag, TransferImportStore } from '../../db/ledger/transfer-import-store.ts';
import type { Chain } from '../../domain/chain.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { createTransferImporter, type ImporterDeps } from './transfer-importer.ts';

/**
 * Brings the ledger up to what the chains tell, from the block on at which a wallet was first read; and where its past was asked for since, from there on.
 */
export type TransferImportService = {
  /** Reads every chain on for a while, from where it was left. What fails is noted and tried again by the next run. A run while the last one is still at it joins that one. */
  run(signal: AbortSignal): Promise<void>;
  getLags(): Promise<readonly ImportLag[]>;
};

type TransferImportDeps = ImporterDeps & {
  readonly imports: Pick<TransferImportStore, 'adopt' | 'getLags'>;
  readonly chains: readonly Chain[];
  /** By chain slug. */
  readonly transferSources: ReadonlyMap<string, TransferSource>;
  /** By chain slug: these describe tokens. */
  readonly sources: ReadonlyMap<string, BalanceSource>;
};

const RUN_DEADLINE_MS = 120_000;

export function createTransferImportService(deps: TransferImportDeps): TransferImportService {
  const importers = deps.chains.flatMap((chain) => {
    const source = deps.transferSources.get(chain.slug);
    const describer = deps.sources.get(chain.slug);
    return source === undefined || describer === undefined ? [] : [createTransferImporter(deps, { chain, source, describer })];
  });
  let running: Promise<void> | undefined;

  const runAll = async (signal: AbortSignal): Promise<void> => {
    await deps.imports.adopt();
    const deadline = startDeadline(signal, RUN_DEADLINE_MS);
    try {
      const ends = await Promise.allSettled(importers.map((importer) => importer.run(signal, deadline.signal)));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } finally {
      deadline.end();
    }
  };
  return {
    run(signal) {
      running ??= runAll(signal).finally(() => {
        running = undefined;
      });
      return running;
    },
    getLags: () => deps.imports.getLags(),
  };
}
