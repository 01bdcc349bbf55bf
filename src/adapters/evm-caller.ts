import type { Block, SourceError } from '../domain/holding.ts';

export type EvmCall = { readonly to: string; readonly data: string };
export type EvmCallResult = { readonly ok: true; readonly data: string } | { readonly ok: false; readonly error: SourceError };

/** Calls of contracts for whoever needs more of an EVM chain than balances. */
export type EvmCaller = {
  /**
   * Many calls at one block in few requests; results in order, each cut to 512 bytes (a contract that has no code, or that reverts, is an error of
   * its own call). Throws AppError when no endpoint serves them.
   */
  callMany(
    calls: readonly EvmCall[],
    signal: AbortSignal,
  ): Promise<{ readonly block: Block; readonly results: readonly EvmCallResult[] }>;
};

/** The same at the last block made by a moment of the past, from endpoints that keep it. */
export type PastEvmCaller = (moment: Date) => EvmCaller;
