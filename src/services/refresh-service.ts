import type { Refresh, RefreshScope } from '../domain/refresh.ts';

export type RefreshService = {
  /**
   * Starts a refresh of the scope, or joins the one in flight over the same sources, and waits for it up to `waitMs` or until `signal` fires; the
   * refresh itself goes on. Throws wallet_not_found and unknown_chain for a scope that names what is not there.
   */
  refresh(
    tenantId: string,
    scope: RefreshScope,
    options: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<Refresh>;
  /** Throws refresh_not_found. */
  get(tenantId: string, id: string): Promise<Refresh>;
  /** Aborts what is in flight and resolves when it has ended. */
  stop(): Promise<void>;
};
