import type { BalanceSource } from '../../adapters/balance-source.ts';
import type { TransferQuery, TransferReading, TransferSource } from '../../adapters/transfer-source.ts';
import type { AssetRef } from '../../domain/asset.ts';
import type { Chain } from '../../domain/chain.ts';
import { type SourceError, toSourceError } from '../../domain/holding.ts';
import type { NewLedgerEntry, Transfer } from '../../domain/ledger/ledger.ts';
import { startDeadline } from '../../lib/deadline.ts';
import { createTransferAssets, type TransferAssetsDeps } from './transfer-assets.ts';

/** A chain, what tells its transfers, and what describes its tokens. */
export type ImportedChain = { readonly chain: Chain; readonly source: TransferSource; readonly describer: BalanceSource };

/** Reads transfers as the ledger takes them. */
export type TransferReader = {
  /** Ends within a minute. Never rejects for a fault of the chain. */
  read(queries: readonly TransferQuery[], signal: AbortSignal): Promise<readonly TransferReading[]>;
  /** What each of these readings means to the ledger, its assets being stored by then. */
  toEntries(readings: readonly TransferReading[], signal: AbortSignal): Promise<EntriesOf>;
};

/** A reading that went well. */
type GoodReading = Extract<TransferReading, { status: 'ok' }>;
export type EntriesOf = (reading: GoodReading) => readonly NewLedgerEntry[];

const READ_DEADLINE_MS = 60_000;

export type TransferReaderDeps = TransferAssetsDeps & { readonly log: Log };

type Log = { info(details: object, message: string): void; warn(details: object, message: string): void };

export function createTransferReader(deps: TransferReaderDeps, { chain, source, describer }: ImportedChain): TransferReader {
  const assets = createTransferAssets(deps, { chain, describer });
  const tell = createTeller(chain, deps.log);
  return {
    async read(queries, signal) {
      const tokens = await assets.listTokens();
      const deadline = startDeadline(signal, READ_DEADLINE_MS);
      try {
        const readings = await source.readTransfers(queries, { signal: deadline.signal, tokens });
        if (!signal.aborted) tell(readings);
        return readings;
      } catch (error) {
        const failure: SourceError = deadline.isPast ? { code: 'upstream_timeout', provider: null } : toSourceError(error);
        return queries.map(({ walletId }) => ({ walletId, status: 'failed', error: failure }));
      } finally {
        deadline.end();
      }
    },
    async toEntries(readings, signal) {
      const transfers = readings.flatMap((reading) => (reading.status === 'ok' ? reading.transfers : []));
      const idOf = await assets.findIds(transfers, signal);
      return ({ walletId, transfers: told }) => told.flatMap((transfer) => toEntry(walletId, transfer, idOf));
    },
  };
}

/** Logs how reading goes each time that it goes otherwise than before. */
function createTeller({ slug: chain }: Chain, log: Log): (readings: readonly TransferReading[]) => void {
  let told = 'ok';
  return (readings) => {
    const [error] = readings.flatMap((one) => (one.status === 'ok' ? [] : [one.error]));
    const lacksCoin = readings.some((one) => one.status === 'ok' && !one.hasNative);
    const state = error?.code ?? (lacksCoin ? 'no coin' : 'ok');
    if (state === told) return;
    told = state;
    if (error !== undefined) log.warn({ chain, error }, 'transfers cannot be read');
    else if (lacksCoin) log.info({ chain }, 'no endpoint tells what moves the coin of the chain: that stays unexplained');
    else log.info({ chain }, 'transfers can be read again');
  };
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
