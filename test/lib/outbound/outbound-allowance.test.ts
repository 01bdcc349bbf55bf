import { describe, expect, it } from 'vitest';
import {
  allowsAddress,
  allowsHost,
  type OutboundAllowance,
  parseOutboundAllowance,
} from '../../../src/lib/outbound/outbound-allowance.ts';
import { parseAddress } from '../../../src/lib/outbound/public-address.ts';

function allowed(text: string, address: string, port: number): boolean {
  return allowsAddress([parseOutboundAllowance(text) as OutboundAllowance], parseAddress(address), port);
}

describe('what an operator may allow', () => {
  it.each([
    ['192.168.1.5', '192.168.1.5', '192.168.1.6'],
    ['192.168.1.5:8545', '192.168.1.5', '192.168.1.6'],
    ['10.0.0.0/8', '10.255.0.1', '11.0.0.1'],
    ['10.0.0.0/8:8545', '::ffff:10.0.0.1', '172.16.0.1'],
    ['fd00::/8', 'fd12::1', 'fe80::1'],
    ['::1', '::1', '127.0.0.1'],
    ['[::1]:8545', '::1', '::2'],
    ['[fd00::/8]:8545', 'fd12::1', '10.0.0.1'],
  ])('%s holds %s and not %s', (text, inside, outside) => {
    expect(allowed(text, inside, 8545)).toBe(true);
    expect(allowed(text, outside, 8545)).toBe(false);
    expect(allowed(text, inside, 80)).toBe(!text.endsWith(':8545'));
  });

  it('is a name in whatever letters', () => {
    const allowances = ['Node.LAN', 'bücher.test:8545'].map((text) => parseOutboundAllowance(text) as OutboundAllowance);
    expect(allowsHost(allowances, 'node.lan', 1)).toBe(true);
    expect(allowsHost(allowances, 'xn--bcher-kva.test', 8545)).toBe(true);
    expect(allowsHost(allowances, 'xn--bcher-kva.test', 80)).toBe(false);
    expect(allowsHost(allowances, 'evil.node.lan', 1)).toBe(false);
  });

  it.each([
    '',
    '*',
    '*.lan',
    'node.lan:0',
    'node.lan:65536',
    'node.lan:x',
    'http://node.lan',
    'node.lan/',
    'user@node.lan',
    '10.1',
    '0x7f000001',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '[node.lan]:80',
    '[::1',
    '::1]:80',
    'a b',
  ])('%j is none', (text) => {
    expect(parseOutboundAllowance(text)).toBeUndefined();
  });
});
