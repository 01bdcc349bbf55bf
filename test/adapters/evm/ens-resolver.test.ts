import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LocalChain, setEnsName, setEnsResolver, startLocalChain } from '../../../localnet/evm/local-chain.ts';
import type { NameResolver } from '../../../src/adapters/balance-source.ts';
import { createEnsResolver } from '../../../src/adapters/evm/ens-resolver.ts';
import { createPool, LOCAL_CHAIN, walletAddress } from './evm-setup.ts';

const signal = new AbortController().signal;
let chain: LocalChain;
let ens: NameResolver;

beforeAll(async () => {
  chain = await startLocalChain({ chainId: 31337 });
  ens = createEnsResolver({ chain: LOCAL_CHAIN, pool: createPool([chain.rpcUrl]) });
});
afterAll(() => chain?.stop());

test('finds the address of a name and of a name below it', async () => {
  await setEnsName(chain, 'alice.eth', walletAddress(1));
  await setEnsName(chain, 'pay.alice.eth', walletAddress(2));
  expect(await ens.resolve('alice.eth', signal)).toBe(walletAddress(1));
  expect(await ens.resolve('pay.alice.eth', signal)).toBe(walletAddress(2));
});

test('reads names as ENS does: case and forms that look the same are one name', async () => {
  await setEnsName(chain, 'bücher.eth', walletAddress(3));
  expect(await ens.resolve('BU\u0308CHER.eth', signal)).toBe(walletAddress(3));
});

test('says that an unknown name has no address', async () => {
  expect(await ens.resolve('nobody.eth', signal)).toBeNull();
  await setEnsName(chain, 'empty.eth', `0x${'0'.repeat(40)}`);
  expect(await ens.resolve('empty.eth', signal)).toBeNull();
});

test('never calls a name unknown that only an off-chain or wildcard resolver could tell', async () => {
  await setEnsResolver(chain, 'offchain.eth', await chain.deploy('RevertingMetadata'));
  await expect(ens.resolve('offchain.eth', signal)).rejects.toMatchObject({ code: 'unsupported_name' });
  await expect(ens.resolve('someone.offchain.eth', signal)).rejects.toMatchObject({ code: 'unsupported_name' });
});

test('refuses what is no name, before any call', async () => {
  await expect(ens.resolve('not a name.eth', signal)).rejects.toMatchObject({ code: 'invalid_address' });
  await expect(ens.resolve('al..eth', signal)).rejects.toMatchObject({ code: 'invalid_address' });
});

test('never calls a name unknown on a chain without ENS', async () => {
  await chain.rpc('anvil_setCode', ['0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e', '0x']);
  await expect(ens.resolve('alice.eth', signal)).rejects.toMatchObject({ code: 'upstream_malformed' });
});

test('takes only .eth names', () => {
  expect(['alice.eth', 'a.b.eth', 'toly.sol', 'example.com', 'eth', `${'a'.repeat(300)}.eth`].map(ens.supports)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ]);
});
