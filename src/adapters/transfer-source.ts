import type { Block, SourceError } from '../domain/holding.ts';
import type { Transfer } from '../domain/ledger/ledger.ts';

/** What to read of one wallet: blocks (or slots) from `fromBlock` to `toBlock`, both part of it; null: to the newest one that cannot be undone. */
export type TransferQuery = {
  readonly walletId: string;
  readonly address: string;
  readonly fromBlock: bigint;
  readonly toBlock: bigint | null;
  /** Where an earlier reading of the same stretch stopped. */
  readonly cursor: string | null;
};

/** `through`: everything of the stretch up to it has been told; null: nothing for certain. `cursor` null: the stretch is done. */
export type TransferReading = { readonly walletId: string } & (
  | {
      readonly status: 'ok';
      readonly transfers: readonly Transfer[];
      readonly through: Block | null;
      readonly cursor: string | null;
      /** Whether movements of the native asset are told as well; an endpoint that does not tell them leaves them unexplained. */
      readonly hasNative: boolean;
    }
  | { readonly status: 'failed' | 'unsupported'; readonly error: SourceError }
);

/** Reads what moved, from one chain: a limited number of requests for each call, so that a long past takes many calls. */
export type TransferSource = {
  readonly chain: string;
  /** One reading for each query, in any order. Never throws but for its signal. */
  readTransfers(
    queries: readonly TransferQuery[],
    options: {
      readonly signal: AbortSignal;
      /** Canonical addresses of the tokens that anybody knows. Transfers of others need not be told, and are not kept. */
      readonly tokens: ReadonlySet<string>;
    },
  ): Promise<readonly TransferReading[]>;
};
