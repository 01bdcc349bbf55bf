import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { namedAccount } from '../../../localnet/solana/known-accounts.ts';
import { type SolanaNode, startSolanaNode } from '../../../localnet/solana/solana-node.ts';
import { walletOf } from '../../../localnet/solana/vm.ts';
import { nameAccount, solRecordAccounts } from '../../../src/adapters/solana/name-accounts.ts';
import { NAME_PROGRAM, SOL_DOMAIN } from '../../../src/adapters/solana/programs.ts';
import { createSolNameResolver } from '../../../src/adapters/solana/sol-name-resolver.ts';
import { createPool, LOCAL_CLUSTER, START, signal } from './solana-setup.ts';

let node: SolanaNode;
let owner: string;
const resolve = (name: string): Promise<string | null> =>
  createSolNameResolver({ pool: createPool([node.rpcUrl]) }).resolve(name, signal);

beforeAll(async () => {
  node = await startSolanaNode({ genesisHash: LOCAL_CLUSTER.genesisHash, unixSeconds: START });
  owner = await walletOf('owner');
  await node.setSolName('toly', owner);
});
afterAll(() => node?.stop());

test('derives the account that the real name service uses', async () => {
  // docs.sns.id and the service's own SDK name this account of bonfida.sol.
  expect(await nameAccount('bonfida', { parent: SOL_DOMAIN })).toBe('Crf8hzfthWGbGbLTVCiqRqV5MVnbpHB1L9KQMd6gsinb');
});

describe('a name of one level', () => {
  test('gives its owner, however it is written', async () => {
    expect(await resolve('toly.sol')).toBe(owner);
    expect(await resolve('Toly.SOL')).toBe(owner);
  });

  test('that nobody registered gives null', async () => {
    expect(await resolve('nobody.sol')).toBeNull();
  });

  test('whose account belongs to another program or parent gives null', async () => {
    node.setData(await nameAccount('forged', { parent: SOL_DOMAIN }), node.address('program'), Buffer.alloc(96, 1));
    expect(await resolve('forged.sol')).toBeNull();
    const { at, data } = namedAccount(await nameAccount('moved', { parent: SOL_DOMAIN }), [owner, owner]);
    node.setData(at, NAME_PROGRAM, data);
    expect(await resolve('moved.sol')).toBeNull();
  });

  test('that a program holds, as a tokenised one, is refused', async () => {
    await node.setSolName('tokenised', await nameAccount('any program account', { parent: SOL_DOMAIN }));
    await expect(resolve('tokenised.sol')).rejects.toMatchObject({ code: 'unsupported_name' });
  });

  test.each([0, 1])('that points on with a SOL record of generation %i from the newest is refused', async (generation) => {
    const label = `pointer${generation}`;
    await node.setSolName(label, owner);
    const name = await nameAccount(label, { parent: SOL_DOMAIN });
    const record = (await solRecordAccounts(name))[generation] ?? '';
    const { data } = namedAccount(record, [name, owner], new Uint8Array(Buffer.alloc(32, 7)));
    node.setData(record, NAME_PROGRAM, data);
    await expect(resolve(`${label}.sol`)).rejects.toMatchObject({ code: 'unsupported_name' });
  });
});

test('names of several levels are refused, and other namespaces are not ours', async () => {
  await expect(resolve('sub.toly.sol')).rejects.toMatchObject({ code: 'unsupported_name' });
  await expect(resolve('.sol')).rejects.toMatchObject({ code: 'unsupported_name' });
  const { supports } = createSolNameResolver({ pool: createPool([node.rpcUrl]) });
  expect(['toly.sol', 'TOLY.SOL', 'vitalik.eth', 'sol', `${'a'.repeat(300)}.sol`].map(supports)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ]);
});

test('an endpoint that is gone is an error, not a name that does not exist', async () => {
  const resolver = createSolNameResolver({ pool: createPool(['http://127.0.0.1:9']) });
  await expect(resolver.resolve('toly.sol', signal)).rejects.toMatchObject({ code: 'upstream_unreachable' });
});
