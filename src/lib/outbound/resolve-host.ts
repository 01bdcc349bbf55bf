import { lookup, Resolver } from 'node:dns/promises';

/** All addresses of a name. Rejects, or is empty, when there are none. */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** How long a server of names may take at first; the second try is given twice that. */
const QUERY_TIMEOUT_MS = 1_500;
const TRIES = 2;

/**
 * Asks the servers of names and nobody else: what `/etc/hosts` and the like say is not for users. It also holds no thread while it waits, of which the process has
 * few, so that a name whose server never answers delays nobody.
 */
export function createDnsResolver(servers?: readonly string[]): ResolveHost {
  return async (host) => {
    // Made anew, since it asks for ever whom the system named when it was made, in whatever network the machine is by then.
    const resolver = new Resolver({ timeout: QUERY_TIMEOUT_MS, tries: TRIES });
    if (servers !== undefined) resolver.setServers(servers);
    const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return found.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
  };
}

/** Asks the system, as every other program does: for names that the operator has named. */
export async function resolveAsSystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
