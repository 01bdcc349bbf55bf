export type RpcCall = { readonly method: string; readonly params: readonly unknown[] };

export type RpcOptions = {
  readonly signal: AbortSignal;
  /** Total time for the one HTTP exchange, connect to last byte. Default 10 000. */
  readonly timeoutMs?: number;
  /** Largest answer taken. Default 8 MiB. */
  readonly maxBytes?: number;
};

/** One item of a batch: its result or its own error (an AppError with an upstream code). */
export type RpcItem = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: Error };

/**
 * One endpoint of a chain. Every failure is an AppError with an upstream code, whose `provider` is `name` and whose text never
 * holds the URL.
 */
export type RpcEndpoint = {
  /** Host, with what could be a key cut out: safe to show. */
  readonly name: string;
  /** What was learnt about the endpoint and is worth keeping while the process lives; each user keeps its own key. */
  readonly learnt: Map<string, unknown>;
  /** One call, one HTTP request. Rejects with the RPC's own error as `upstream_rpc_error` or a finer code. */
  call(call: RpcCall, options: RpcOptions): Promise<unknown>;
  /** Many calls in one HTTP request, answers matched by id and in the order asked; falls to single calls where batches are refused. */
  batch(calls: readonly RpcCall[], options: RpcOptions): Promise<readonly RpcItem[]>;
};
