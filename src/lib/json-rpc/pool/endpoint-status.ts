import type { ErrorCode } from '../../../domain/errors.ts';
import type { RpcEndpoint } from '../rpc-endpoint.ts';
import { chooseEndpoints } from './endpoint-choice.ts';
import type { EndpointMember } from './endpoint-member.ts';
import type { EndpointState } from './endpoint-state.ts';
import type { HeadMonitor } from './head-monitor.ts';

/** An endpoint as operators see it. */
export type EndpointStatus = {
  /** Masked. */
  readonly name: string;
  readonly state: EndpointState;
  readonly since: Date;
  /** The newest block it told. */
  readonly head: bigint | null;
  readonly lagBlocks: bigint | null;
  readonly breaker: 'closed' | 'open' | 'half_open';
  /** Grows with failures and shrinks with successes. */
  readonly failures: number;
  /** Requests a second that it has shown to bear. */
  readonly rateLimitRps: number;
  readonly budget: { readonly perSecond: number | null; readonly perDay: number | null; readonly usedToday: number };
  readonly latencyP95Ms: number | null;
  readonly lastError: { readonly code: ErrorCode; readonly at: Date } | null;
  /** Whether its chain was read in the last minutes; only then is it probed. */
  readonly isInUse: boolean;
  /** No other endpoint of the chain is of use: this one is kept whatever it does. */
  readonly isLastUsable: boolean;
};

export function describeEndpoints({
  members,
  heads,
  isInUse,
}: {
  readonly members: readonly EndpointMember[];
  readonly heads: HeadMonitor<RpcEndpoint>;
  readonly isInUse: boolean;
}): readonly EndpointStatus[] {
  const { usable, resort } = chooseEndpoints(members);
  const last = usable.length <= 1 ? (usable[0] ?? resort[0]) : undefined;
  return members.map((member) => {
    const { state, since, failures, lastError } = member.health();
    const { head, lag } = heads.view(member.endpoint);
    return {
      name: member.endpoint.name,
      state,
      since: new Date(since),
      head,
      lagBlocks: lag,
      failures,
      ...member.endpoint.guard.status(),
      lastError: lastError === null ? null : { code: lastError.code, at: new Date(lastError.at) },
      isInUse,
      isLastUsable: member === last,
    };
  });
}
