type RpcFault = { readonly code: number; readonly message: string; readonly data?: unknown };

/** An error that the local node answers with. */
export class RpcError extends Error {
  readonly fault: RpcFault;
  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.fault = { code, message, ...(data === undefined ? {} : { data }) };
  }
}
