import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';

/** Tells clients apart by where they come from: an IPv4 address, or the /64 of an IPv6 one, which is the least that a client is given. */
export type ClientAddress = (
  request: Pick<IncomingMessage, 'headers'> & { socket: { remoteAddress?: string | undefined } },
) => string;

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** More proxies than any request passes; what a client wrote itself may be longer. */
const MAX_HOPS = 20;
const CLIENT_GROUPS = 4;
const MAX_KNOWN = 10_000;
const MAX_KNOWN_LENGTH = 100;

/**
 * Reads `X-Forwarded-For` from its right end as far as trusted proxies wrote it: the first address that is not one of theirs is the client's. What is no address
 * ends the walk at the proxy that passed it on.
 * @param trustedProxies Addresses and CIDR ranges.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const ranges = trustedProxies.map(parseRange);
  const isTrusted = (address: Address): boolean =>
    ranges.some(([range, bits]) => range.kind() === address.kind() && address.match(range, bits));
  const find = (peer: string, forwarded: string): string => {
    let client = parseAddress(peer);
    if (client === undefined) return 'unknown';
    const hops = forwarded.split(',').slice(-MAX_HOPS);
    while (hops.length > 0 && isTrusted(client)) {
      const hop = parseAddress(hops.pop()?.trim() ?? '');
      if (hop === undefined) break;
      client = hop;
    }
    return nameOf(client);
  };
  // Clients send many requests, and taking addresses apart costs more than counting them.
  const known = new LRUCache<string, string>({ max: MAX_KNOWN });
  return ({ headers, socket }) => {
    const peer = socket.remoteAddress ?? '';
    // Node joins repeated headers of this name.
    const sent = headers['x-forwarded-for'];
    const forwarded = ranges.length > 0 && typeof sent === 'string' ? sent : '';
    if (forwarded.length > MAX_KNOWN_LENGTH) return find(peer, forwarded);
    const route = `${peer} ${forwarded}`;
    let client = known.get(route);
    if (client === undefined) {
      client = find(peer, forwarded);
      known.set(route, client);
    }
    return client;
  };
}

const NEAR: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal', 'carrierGradeNat']);

/** Whether a connection comes from this machine or a network of one's own, and not from the public internet. */
export function isNear(peer: string | undefined): boolean {
  const address = parseAddress(peer ?? '');
  return address !== undefined && NEAR.has(address.range());
}

/** Undefined for what is no address in its usual form: the library alone would take `0x7f.1` for one. */
function parseAddress(text: string): Address | undefined {
  return isIP(text) === 0 ? undefined : unmap(ipaddr.parse(text));
}

/** An IPv4 address in IPv6 notation, as sockets that take both have it, is an IPv4 address. */
function unmap(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseRange(text: string): [Address, number] {
  if (!text.includes('/')) {
    const address = unmap(ipaddr.parse(text));
    return [address, address.kind() === 'ipv4' ? 32 : 128];
  }
  return ipaddr.parseCIDR(text);
}

function nameOf(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  const groups = address.parts.slice(0, CLIENT_GROUPS).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}
