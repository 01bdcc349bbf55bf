import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;
/** An address and the length of the prefix that counts. */
export type IpRange = readonly [IpAddress, number];

/** The only part of IPv6 from which addresses are given to the public. */
const GIVEN_OUT = ipaddr.IPv6.parseCIDR('2000::/3');
/** Behind it lies IPv4, by way of a translator: networks without IPv4 reach the rest of the world so. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');
/** Where Azure talks to the machines that it runs, and only to them, out of the public range. */
const AZURE_PLATFORM = '168.63.129.16';

/** An address that is written as the system writes addresses, with the IPv4 address that it may hold taken out. */
export function parseAddress(text: string): IpAddress {
  const address = ipaddr.process(text);
  if (address.kind() === 'ipv6' && address.match(NAT64)) return ipaddr.fromByteArray(address.toByteArray().slice(-4));
  return address;
}

/** Whether it is one single machine of the public internet, as far as its address tells: not of one's own network, not of a test network, not of all. */
export function isPublicAddress(address: IpAddress): boolean {
  // Tunnels (6to4, Teredo) have ranges of their own and are refused as such.
  if (address.range() !== 'unicast' || address.toString() === AZURE_PLATFORM) return false;
  return address.kind() === 'ipv4' || address.match(GIVEN_OUT);
}

/** Whether the address lies in the range. */
export function isWithin(address: IpAddress, [start, prefix]: IpRange): boolean {
  return address.kind() === start.kind() && address.match(start, prefix);
}
