import type { Block } from '../domain/holding.ts';
import type { AddressReading, BalanceQuery } from './balance-source.ts';

/** What was held when a moment came: `block` is the last one made by then. */
export type PastReading = {
  /** null: the chain did not exist yet, and nothing was held on it. */
  readonly block: Block | null;
  readonly addresses: readonly AddressReading[];
};

/** The past of one chain, where an endpoint keeps it. A chain whose endpoints never do has none of these. */
export type PastBalanceSource = {
  readonly chain: string;
  /**
   * Reads all addresses at the last block that was made by the moment; a token that did not exist yet was not held. An address that could not be read is a failure: `upstream_no_history` when no endpoint
   * keeps this past. Throws AppError when the block cannot be found, upstream_block_unavailable before the chain has come past the moment.
   */
  readBalancesAt(moment: Date, query: BalanceQuery): Promise<PastReading>;
};
