import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { type IpAddress, type IpRange, isWithin, parseAddress } from './public-address.ts';

/** What the operator lets users send to beside the public internet: a name, or a range of addresses; at one port or at all. */
export type OutboundAllowance = {
  readonly target: { readonly host: string } | { readonly range: IpRange };
  /** null: all. */
  readonly port: number | null;
};

const FORM = /^(?:\[(?<inBrackets>[^[\]]+)\]|(?<plain>[^:[\]]+))(?::(?<port>\d{1,5}))?$/;

/** `node.lan`, `192.168.1.5`, `10.0.0.0/8`, `fd00::/8`, each with `:8545` behind it or not, IPv6 then in brackets. Undefined for anything else. */
export function parseOutboundAllowance(text: string): OutboundAllowance | undefined {
  const parts = FORM.exec(text)?.groups;
  const subject = parts?.inBrackets ?? parts?.plain ?? text;
  const port = parts?.port === undefined ? null : Number(parts.port);
  if (port !== null && (port === 0 || port > 65_535)) return undefined;
  const range = parseRange(subject);
  if (range !== undefined) return { target: { range }, port };
  const host = parts?.plain === undefined ? undefined : parseHost(subject);
  return host === undefined ? undefined : { target: { host }, port };
}

/** Whether the name itself is allowed at this port, wherever it leads. */
export function allowsHost(allowances: readonly OutboundAllowance[], host: string, port: number): boolean {
  return allowances.some(({ target, port: only }) => 'host' in target && target.host === host && isAt(port, only));
}

/** Whether the address is allowed at this port. */
export function allowsAddress(allowances: readonly OutboundAllowance[], address: IpAddress, port: number): boolean {
  return allowances.some(({ target, port: only }) => 'range' in target && isWithin(address, target.range) && isAt(port, only));
}

function isAt(port: number, only: number | null): boolean {
  return only === null || only === port;
}

function parseRange(text: string): IpRange | undefined {
  const [start = '', prefix, ...rest] = text.split('/');
  const version = isIP(start);
  if (version === 0 || rest.length > 0) return undefined;
  if (prefix !== undefined) return ipaddr.isValidCIDR(text) ? ipaddr.parseCIDR(text) : undefined;
  const address = parseAddress(start);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** As a URL would have it: lower case, and Punycode beyond ASCII. */
function parseHost(text: string): string | undefined {
  const url = URL.parse(`http://${text}/`);
  if (url === null || url.pathname !== '/' || url.search !== '' || url.hash !== '' || url.username !== '') return undefined;
  // `10.1` would be an address in disguise.
  return isIP(url.hostname) === 0 && !text.includes('/') && !text.includes('*') ? url.hostname : undefined;
}
