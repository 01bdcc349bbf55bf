import { Counter, Gauge, type Registry } from 'prom-client';

export type TransferMetrics = {
  /** Transfers of some wallets were read on; `outcome` is `ok` or the code of the failure. */
  readonly onTransferImport: (report: { readonly chain: string; readonly outcome: string; readonly added: number }) => void;
  /** How long ago the wallet that waits the longest was read to the end. */
  readonly setTransferLags: (lags: readonly { readonly chain: string; readonly lagSeconds: number }[]) => void;
};

/** How the ledger follows the chains. */
export function createTransferMetrics(registry: Registry): TransferMetrics {
  const registers = [registry];
  const imports = new Counter({
    name: 'transfer_imports_total',
    help: 'Readings of transfers, each for up to a hundred wallets.',
    labelNames: ['chain', 'outcome'],
    registers,
  });
  const stored = new Counter({
    name: 'transfers_stored_total',
    help: 'Entries of the ledger that came from chains.',
    labelNames: ['chain'],
    registers,
  });
  const lag = new Gauge({
    name: 'transfer_import_lag_seconds',
    help: 'How long ago the wallet that waits the longest was read to the end.',
    labelNames: ['chain'],
    registers,
  });
  return {
    onTransferImport({ chain, outcome, added }) {
      imports.inc({ chain, outcome: outcome === 'ok' ? 'ok' : 'failed' });
      stored.inc({ chain }, added);
    },
    setTransferLags(lags) {
      lag.reset();
      for (const { chain, lagSeconds } of lags) lag.set({ chain }, lagSeconds);
    },
  };
}
