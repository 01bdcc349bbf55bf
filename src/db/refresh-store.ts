import type { Refresh, RefreshScope, RefreshSource } from '../domain/refresh.ts';

export type RefreshStore = {
  /**
   * The running refresh of exactly these sources (as a set), or a new one: equal refreshes in flight share one, across instances.
   * A running one whose deadline has passed is marked interrupted and does not count.
   */
  startOrJoin(
    tenantId: string,
    refresh: { readonly scope: RefreshScope; readonly sources: readonly RefreshSource[]; readonly deadlineAt: Date },
  ): Promise<{ readonly refresh: Refresh; readonly joined: boolean }>;
  /** Undefined when the tenant has none of this id. One past its deadline comes back as interrupted. */
  get(tenantId: string, id: string): Promise<Refresh | undefined>;
  /** Notes the outcome of some sources. */
  updateSources(tenantId: string, id: string, sources: readonly RefreshSource[]): Promise<void>;
  finish(tenantId: string, id: string): Promise<void>;
  /** Marks every running refresh interrupted: for the start of a process that owns its database alone. */
  interruptAll(): Promise<number>;
};
