import type { EndpointMember } from './endpoint-member.ts';
import { type EndpointState, isLive } from './endpoint-state.ts';

/** The endpoints to ask, each list in the order to ask them. */
export type Candidates = {
  readonly usable: readonly EndpointMember[];
  /** To be asked only when none of the usable ones works: the last endpoint is never dropped. */
  readonly resort: readonly EndpointMember[];
};

const RANKS: Readonly<Record<EndpointState, number>> = {
  alive: 0,
  limited: 0,
  lagging: 3,
  probing: 4,
  unreachable: 5,
  unauthorized: 6,
  wrong_chain: 7,
};
/** A wait for the endpoint's pace that is not worth another endpoint. */
const SHORT_WAIT_MS = 250;

/** Whether an endpoint can serve tasks, now or after the pause it asked for. */
export function isUsable(member: EndpointMember): boolean {
  return isLive(member.health().state);
}

/**
 * Endpoints in good standing come first, in their configured order, then those whose budget has no room at the moment, those that failed lately, and those that lag.
 * One that asked for a pause is left alone, unless no other is of use: then the one whose pause ends first is asked.
 */
export function chooseEndpoints(members: readonly EndpointMember[]): Candidates {
  const now = Date.now();
  const free = members.filter((member) => member.health().limitedUntil <= now);
  const ranked = free.map((member) => ({ member, rank: rankOf(member, now) })).sort((a, b) => a.rank - b.rank);
  const usable = ranked.filter(({ member }) => isUsable(member)).map(({ member }) => member);
  const resort = ranked.filter(({ member }) => !isUsable(member)).map(({ member }) => member);
  if (usable.length > 0) return { usable, resort };
  const paused = members.filter((member) => !free.includes(member));
  return { usable, resort: [...resort, ...soonest(paused)] };
}

function rankOf(member: EndpointMember, now: number): number {
  const { state, demotedUntil } = member.health();
  if (state !== 'alive') return RANKS[state];
  if (demotedUntil > now) return 2;
  return member.endpoint.guard.waitMs() > SHORT_WAIT_MS ? 1 : 0;
}

function soonest(members: readonly EndpointMember[]): readonly EndpointMember[] {
  return members.toSorted((a, b) => a.health().limitedUntil - b.health().limitedUntil).slice(0, 1);
}
