import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { createClientAddress, isNear } from '../../../src/api/middleware/client-address.ts';

function clientOf(peer: string | undefined, forwarded?: string, trustedProxies: readonly string[] = []): string {
  const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded };
  return createClientAddress(trustedProxies)({ headers, socket: { remoteAddress: peer } });
}

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

describe('a client without a proxy', () => {
  it.each([
    ['203.0.113.7', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    [undefined, 'unknown'],
  ])('at %s is %s', (peer, client) => {
    expect(clientOf(peer)).toBe(client);
  });

  it('cannot say that it is another', () => {
    expect(clientOf('203.0.113.7', '198.51.100.1')).toBe('203.0.113.7');
    expect(clientOf('203.0.113.7', '198.51.100.1', LOOPBACK)).toBe('203.0.113.7');
  });
});

describe('a client behind proxies', () => {
  it.each([
    ['one proxy', '198.51.100.1', '198.51.100.1'],
    ['a chain of ours', '198.51.100.1, 127.0.0.2,127.0.0.3', '198.51.100.1'],
    ['what the client wrote before', '1.2.3.4, 198.51.100.1', '198.51.100.1'],
    ['an address of IPv6', '2001:db8:1:2:3::9', '2001:db8:1:2::/64'],
    ['an IPv4 address in IPv6', '::ffff:198.51.100.1', '198.51.100.1'],
    ['nobody but ours', '127.0.0.9', '127.0.0.9'],
    ['no header', undefined, '127.0.0.1'],
    ['an empty header', '', '127.0.0.1'],
    ['an empty part', '198.51.100.1, ', '127.0.0.1'],
    ['markup', '"><script>', '127.0.0.1'],
    ['markup before an address', '"><script>, 198.51.100.1', '198.51.100.1'],
    ['markup behind an address', '198.51.100.1, "><script>', '127.0.0.1'],
    ['a number that is an address to some', '2130706433', '127.0.0.1'],
    ['a port', '198.51.100.1:80', '127.0.0.1'],
    ['a name', 'localhost', '127.0.0.1'],
  ])('is found with %s', (_name, forwarded, client) => {
    expect(clientOf('127.0.0.1', forwarded, LOOPBACK)).toBe(client);
    expect(clientOf('::ffff:127.0.0.1', forwarded, LOOPBACK)).toBe(client);
  });

  it('trusts single addresses and ranges of both families', () => {
    const trusted = ['10.1.2.3', 'fd00::/8'];
    expect(clientOf('10.1.2.3', '198.51.100.1', trusted)).toBe('198.51.100.1');
    expect(clientOf('10.1.2.4', '198.51.100.1', trusted)).toBe('10.1.2.4');
    expect(clientOf('fd12::5', '198.51.100.1, 10.1.2.3', trusted)).toBe('198.51.100.1');
    expect(clientOf('fe12::5', '198.51.100.1', trusted)).toBe('fe12:0:0:0::/64');
  });

  it('gives up after more hops than there can be', () => {
    expect(clientOf('127.0.0.1', `198.51.100.1, ${'127.0.0.5, '.repeat(1000)}127.0.0.6`, LOOPBACK)).toBe('127.0.0.5');
  });
});

const ipv4 = fc.ipV4();
const ipv6 = fc.ipV6();
const KEY = /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f]{1,4}(?::[0-9a-f]{1,4}){3}::\/64)$/;

describe('whatever is sent', () => {
  it('becomes an address or a network, never a text of the client', () => {
    fc.assert(
      fc.property(
        fc.oneof(ipv4, ipv6),
        fc.oneof(fc.string(), fc.array(fc.oneof(ipv4, ipv6, fc.string())).map(String)),
        (peer, sent) => {
          expect(clientOf(peer, sent, ['0.0.0.0/0', '::/0'])).toMatch(KEY);
        },
      ),
    );
  });

  it('an address that no proxy of ours passed on changes nothing', () => {
    fc.assert(
      fc.property(ipv4, fc.string(), (peer, sent) => {
        fc.pre(!peer.startsWith('127.'));
        expect(clientOf(peer, sent, LOOPBACK)).toBe(ipaddr.parse(peer).toString());
        expect(clientOf('127.0.0.1', `${sent}, ${peer}`, LOOPBACK)).toBe(ipaddr.parse(peer).toString());
      }),
    );
  });

  it('addresses of one /64 are one client, and those of two are two', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    const half = fc.tuple(group, group, group, group).map((groups) => groups.join(':'));
    fc.assert(
      fc.property(half, half, half, half, (network, other, first, second) => {
        fc.pre(network !== other && !/^0(:0)*$/.test(network) && !/^0(:0)*$/.test(other));
        expect(clientOf(`${network}:${first}`)).toBe(clientOf(`${network}:${second}`));
        expect(clientOf(`${network}:${first}`)).not.toBe(clientOf(`${other}:${first}`));
      }),
    );
  });
});

it.each([
  ['127.0.0.1', true],
  ['::1', true],
  ['::ffff:192.168.1.7', true],
  ['10.2.0.9', true],
  ['172.20.0.3', true],
  ['fd12::7', true],
  ['fe80::1', true],
  ['100.64.3.2', true],
  ['198.41.0.4', false],
  ['::ffff:198.41.0.4', false],
  ['2606:4700::1111', false],
  ['172.32.0.1', false],
  ['nonsense', false],
  [undefined, false],
])('%s is of a network of one’s own: %s', (peer, expected) => {
  expect(isNear(peer)).toBe(expected);
});
