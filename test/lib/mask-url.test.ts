import { expect, it } from 'vitest';
import { maskUrl } from '../../src/lib/mask-url.ts';

it.each([
  ['https://mainnet.infura.io/v3/0123456789abcdef0123456789abcdef', 'mainnet.infura.io'],
  ['https://rpc.helius.xyz/?api-key=01234567-89ab-cdef-0123-456789abcdef', 'rpc.helius.xyz'],
  ['https://user:password@node.example.com:8545/', 'node.example.com:8545'],
  ['https://0123456789abcdef0123456789abcdef.eth.example.com/', '***.eth.example.com'],
  ['https://01234567-89ab-cdef-0123-456789abcdef.example.com/', '***.example.com'],
  ['https://api.mainnet-beta.solana.com', 'api.mainnet-beta.solana.com'],
  ['https://ethereum-rpc.publicnode.com', 'ethereum-rpc.publicnode.com'],
  ['http://127.0.0.1:8545/', '127.0.0.1:8545'],
  ['http://[::1]:8545/', '[::1]:8545'],
])('shows of %s no more than %s', (url, name) => {
  expect(maskUrl(url)).toBe(name);
});
