import { AbiCoder, id as keccakOfText } from 'ethers';
import { getAddress } from 'ethers/address';
import { namehash } from 'ethers/hash';
import { type Anvil, type AnvilOptions, startAnvil } from './anvil.ts';
import compiled from './contracts/tokens.json' with { type: 'json' };

export type ContractName = keyof typeof compiled;
type AbiValue = string | bigint | number | boolean | Uint8Array;

/** A local chain with the contracts that the real ones have, and what is needed to put tokens and coins on it. */
export type LocalChain = Anvil & {
  /** Deploys a contract of `contracts/tokens.sol`. Constructor arguments as ABI types and values. */
  deploy(name: ContractName, types?: readonly string[], values?: readonly AbiValue[]): Promise<string>;
  /** Sends a call, as `set(address,uint256)`, and waits for its block. */
  send(to: string, signature: string, values: readonly AbiValue[]): Promise<void>;
  /** Sets a token balance: every local token has `set(address,uint256)`. */
  setBalance(token: string, owner: string, amount: bigint): Promise<void>;
  setNative(owner: string, amount: bigint): Promise<void>;
  /** Makes an empty block of that time, which must come after the last one's. Blocks after it go on from there. */
  mineAt(moment: Date): Promise<void>;
  /** Puts a contract's code at an address of our choice; its storage is empty and its immutables are zero. */
  putCode(address: string, name: ContractName): Promise<void>;
};

const MULTICALL3 = '0xcA11bde05977b3631167028862bE2a173976CA11';
const ENS_REGISTRY = '0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e';
/** Below the 2^24 that a transaction may use since Osaka. */
const GAS = '0xe4e1c0';

/** Starts a chain that has Multicall3 and the ENS registry at their real addresses. */
export async function startLocalChain(options: AnvilOptions): Promise<LocalChain> {
  const anvil = await startAnvil(options);
  const accounts = await anvil.rpc('eth_accounts', []);
  const from = Array.isArray(accounts) ? String(accounts[0]) : '';
  const transact = async (transaction: { to?: string; data: string }): Promise<Record<string, unknown>> => {
    const hash = await anvil.rpc('eth_sendTransaction', [{ from, gas: GAS, ...transaction }]);
    let receipt = await anvil.rpc('eth_getTransactionReceipt', [hash]);
    // The node answers with the hash a moment before the block is there.
    while (receipt === null) receipt = await anvil.rpc('eth_getTransactionReceipt', [hash]);
    if (typeof receipt !== 'object' || receipt === null || !('status' in receipt) || receipt.status !== '0x1') {
      throw new Error(`a transaction on the local chain failed: ${JSON.stringify(receipt)}`);
    }
    return { ...receipt };
  };
  const chain: LocalChain = {
    ...anvil,
    async deploy(name, types = [], values = []) {
      const data = compiled[name].creation + encode(types, values);
      return getAddress(String((await transact({ data })).contractAddress));
    },
    async send(to, signature, values) {
      const types = signature.slice(signature.indexOf('(') + 1, -1).split(',');
      await transact({ to, data: keccakOfText(signature).slice(0, 10) + encode(types, values) });
    },
    setBalance: (token, owner, amount) => chain.send(token, 'set(address,uint256)', [owner, amount]),
    async setNative(owner, amount) {
      await anvil.rpc('anvil_setBalance', [owner, `0x${amount.toString(16)}`]);
    },
    async mineAt(moment) {
      await anvil.rpc('evm_setNextBlockTimestamp', [Math.floor(moment.getTime() / 1000)]);
      await anvil.rpc('evm_mine', []);
    },
    async putCode(address, name) {
      await anvil.rpc('anvil_setCode', [address, compiled[name].runtime]);
    },
  };
  await chain.putCode(MULTICALL3, 'Multicall');
  await chain.putCode(ENS_REGISTRY, 'EnsRegistry');
  return chain;
}

/** Gives a name an address in the local ENS registry. */
export function setEnsName(chain: LocalChain, name: string, address: string): Promise<void> {
  return chain.send(ENS_REGISTRY, 'set(bytes32,address)', [namehash(name), address]);
}

/** Gives a name another resolver than the registry itself. */
export function setEnsResolver(chain: LocalChain, name: string, resolver: string): Promise<void> {
  return chain.send(ENS_REGISTRY, 'setResolver(bytes32,address)', [namehash(name), resolver]);
}

function encode(types: readonly string[], values: readonly AbiValue[]): string {
  return AbiCoder.defaultAbiCoder().encode(types, values).slice(2);
}
