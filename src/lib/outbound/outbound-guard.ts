import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import ipaddr from 'ipaddr.js';
import { AppError } from '../../domain/errors.ts';
import { allowsAddress, allowsHost, type OutboundAllowance } from './outbound-allowance.ts';
import { type IpAddress, isPublicAddress, isWithin, parseAddress } from './public-address.ts';
import { createDnsResolver, type ResolveHost, resolveAsSystem } from './resolve-host.ts';

/** What URLs of users may look like. What the operator allows may look otherwise. */
export type OutboundRules = { readonly protocols: readonly string[]; readonly ports: readonly number[] };

export const WEBHOOK_RULES: OutboundRules = { protocols: ['https:'], ports: [443, 8443] };
export const RPC_RULES: OutboundRules = { protocols: ['https:', 'http:'], ports: [80, 443, 8080, 8443, 8545, 8899] };

export type OutboundTarget = {
  readonly protocol: string;
  /** A name, or an address without brackets. */
  readonly host: string;
  readonly port: number;
};

/**
 * Stands between what users tell the service to call and the network that the service is in: only single machines of the public internet are called, and
 * what the operator has allowed. All refusals are AppErrors `outbound_refused`, and their texts tell nothing of names and addresses that the user did not know.
 */
export type OutboundGuard = {
  /** The URL in its plain form. Refuses what its text alone rules out. */
  parse(url: string): URL;
  /** The same, with the name looked up. To be asked before a URL is stored, for the user's sake: it protects only what `resolve` does at every connection. */
  check(url: string): Promise<URL>;
  /** The addresses to connect to, each of them checked. */
  resolve(target: OutboundTarget): Promise<readonly string[]>;
};

export type OutboundGuardOptions = {
  readonly rules: OutboundRules;
  readonly allowances: readonly OutboundAllowance[];
  readonly resolveHost?: ResolveHost;
  /** The networks that this machine is part of, as CIDR ranges. */
  readonly ownNetworks?: () => readonly string[];
};

const MAX_URL_LENGTH = 2_048;
/** A network as wide as this is no neighbourhood but the route to everywhere. */
const SHORTEST_PREFIX = 8;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

export function createOutboundGuard({
  rules,
  allowances,
  resolveHost = createDnsResolver(),
  ownNetworks = listOwnNetworks,
}: OutboundGuardOptions): OutboundGuard {
  const resolve = async (target: OutboundTarget): Promise<readonly string[]> => {
    const { host, port } = target;
    const isNamed = allowsHost(allowances, host, port);
    const addresses = await findAddresses(host, isNamed ? resolveAsSystem : resolveHost);
    if (isNamed && addresses.length > 0) return addresses;
    const fault = faultOf(target, rules);
    const networks = ownNetworks();
    const isTaken = (address: IpAddress): boolean =>
      allowsAddress(allowances, address, port) ||
      (fault === undefined && isPublicAddress(address) && !isNeighbour(address, networks));
    // One address that is not is enough: which one is called is not for the name to choose.
    if (addresses.length > 0 && addresses.every((address) => isTaken(parseAddress(address)))) return addresses;
    throw refusal(
      fault ??
        'The service sends to names and addresses of the public internet, and to what OUTBOUND_ALLOW names. This is neither, or nothing is known of it.',
    );
  };
  const parse = (text: string): URL => {
    const url = text.length > MAX_URL_LENGTH ? null : URL.parse(text);
    if (url === null) throw refusal('This is not a URL, or one that is too long.');
    if (DEFAULT_PORTS[url.protocol] === undefined) throw refusal('The URL must begin with https://.');
    if (url.username !== '' || url.password !== '') throw refusal('The URL must not hold a user or a password.');
    return url;
  };
  return {
    parse,
    async check(text) {
      const url = parse(text);
      await resolve(targetOf(url));
      return url;
    },
    resolve,
  };
}

function targetOf({ protocol, hostname, port }: URL): OutboundTarget {
  return { protocol, host: hostname.replace(/^\[|\]$/g, ''), port: portOf(protocol, port) };
}

/** The port that a URL means; an empty text stands for the usual one. */
export function portOf(protocol: string, port: string): number {
  return port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port);
}

async function findAddresses(host: string, resolveHost: ResolveHost): Promise<readonly string[]> {
  if (isIP(host) !== 0) return [host];
  return resolveHost(host).catch(() => []);
}

function faultOf({ protocol, port }: OutboundTarget, { protocols, ports }: OutboundRules): string | undefined {
  if (!protocols.includes(protocol)) return 'The URL must begin with https://, unless OUTBOUND_ALLOW names where it leads.';
  return ports.includes(port)
    ? undefined
    : `The service sends to the ports ${ports.join(', ')} only, unless OUTBOUND_ALLOW names where it leads.`;
}

/** Whether the address is one of this machine's own, or of the network that it is in: public addresses too may lie behind the firewall that we are behind. */
function isNeighbour(address: IpAddress, networks: readonly string[]): boolean {
  return networks.some((network) => {
    const [start, prefix] = ipaddr.parseCIDR(network);
    return prefix >= SHORTEST_PREFIX && isWithin(address, [start, prefix]);
  });
}

function listOwnNetworks(): readonly string[] {
  return Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.flatMap(({ cidr }) => cidr ?? []));
}

function refusal(message: string): AppError {
  return new AppError('outbound_refused', message);
}
