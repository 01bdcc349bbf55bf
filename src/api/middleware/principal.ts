import type { ServerResponse } from 'node:http';
import type { Principal } from '../../domain/access.ts';

const principals = new WeakMap<ServerResponse, Principal>();

/** Keeps on whose behalf a request comes, for all that is still to be done for it. */
export function keepPrincipal(response: ServerResponse, principal: Principal): void {
  principals.set(response, principal);
}

/** On whose behalf the request of this answer comes; undefined as long as that is not known. */
export function principalOf(response: ServerResponse): Principal | undefined {
  return principals.get(response);
}
