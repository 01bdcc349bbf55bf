import { id as keccakOfText } from 'ethers';
import { getAddress } from 'ethers/address';
import { type LocalChain, startLocalChain } from '../../../../localnet/evm/local-chain.ts';
import { toHexWord } from '../../../support/hex-word.ts';

type Sent = { readonly to: string; readonly value?: bigint; readonly data?: string; readonly gas?: bigint };

/** A local chain whose accounts can be anybody's wallets, with two tokens that all of them hold. */
export type TransferWorld = {
  readonly chain: LocalChain;
  /** Accounts that can send, with coins. */
  readonly accounts: readonly string[];
  readonly token: string;
  readonly otherToken: string;
  /** Sends a transaction and gives its hash once it is in a block, whether or not it went well. */
  send(from: string, transaction: Sent): Promise<string>;
  transfer(token: string, options: { readonly from: string; readonly to: string; readonly amount: bigint }): Promise<string>;
  /** Mines until everything so far is final. */
  finalize(): Promise<void>;
  blockNumber(): Promise<bigint>;
  /** Of the coin, or of a token, at a block. */
  balanceAt(owner: string, token: string | null, block: bigint): Promise<bigint>;
  close(): Promise<void>;
};

/** More than anvil counts back for what it calls final. */
const BLOCKS_TO_FINALITY = '0x50';

export async function startTransferWorld(chainId = 31337): Promise<TransferWorld> {
  const chain = await startLocalChain({ chainId });
  const listed = await chain.rpc('eth_accounts', []);
  const accounts = Array.isArray(listed) ? listed.map((address) => getAddress(String(address))) : [];
  const deploy = (symbol: string): Promise<string> => chain.deploy('Token', ['string', 'string', 'uint8'], [symbol, symbol, 18]);
  const token = await deploy('ONE');
  const otherToken = await deploy('TWO');
  for (const owner of accounts) for (const one of [token, otherToken]) await chain.setBalance(one, owner, 10n ** 24n);
  const world: TransferWorld = {
    chain,
    accounts,
    token,
    otherToken,
    async send(from, { to, value = 0n, data = '0x', gas = 1_000_000n }) {
      const transaction = { from, to, data, value: `0x${value.toString(16)}`, gas: `0x${gas.toString(16)}` };
      const hash = String(await chain.rpc('eth_sendTransaction', [transaction]));
      while ((await chain.rpc('eth_getTransactionReceipt', [hash])) === null);
      return hash;
    },
    transfer: (address, { from, to, amount }) =>
      world.send(from, {
        to: address,
        data: `${keccakOfText('transfer(address,uint256)').slice(0, 10)}${toHexWord(to)}${toHexWord(amount)}`,
      }),
    finalize: async () => void (await chain.rpc('anvil_mine', [BLOCKS_TO_FINALITY])),
    blockNumber: async () => BigInt(String(await chain.rpc('eth_blockNumber', []))),
    async balanceAt(owner, address, block) {
      const at = `0x${block.toString(16)}`;
      if (address === null) return BigInt(String(await chain.rpc('eth_getBalance', [owner, at])));
      const data = `${keccakOfText('balanceOf(address)').slice(0, 10)}${toHexWord(owner)}`;
      return BigInt(String(await chain.rpc('eth_call', [{ to: address, data }, at])));
    },
    close: () => chain.stop(),
  };
  return world;
}

/** Code that passes on what it is sent to the address in its first word. */
export const FORWARDER = '0x5f5f5f5f345f355af100';
/** The same, after which it takes everything back. */
export const REGRETTER = '0x5f5f5f5f345f355af15f5ffd';
/** Calls the address in its second word with all it was given, and does not mind when that fails. */
export const CAREFREE = '0x365f5f375f5f365f346020355af100';

/** Code that logs a `Transfer` with so many bytes of data, and with the number of a one-of-a-kind token if it is told one. */
export function transferLogger(options: {
  readonly from: string;
  readonly to: string;
  readonly dataBytes: number;
  readonly tokenId?: bigint;
}): string {
  const { from, to, dataBytes, tokenId } = options;
  const push = (word: string): string => `7f${word}`;
  const event = keccakOfText('Transfer(address,address,uint256)').slice(2);
  const topics = [...(tokenId === undefined ? [] : [toHexWord(tokenId)]), toHexWord(to), toHexWord(from), event];
  const size = dataBytes.toString(16).padStart(2, '0');
  // One byte of data is not zero, so that it is no amount of nothing.
  return `0x60015f53${topics.map(push).join('')}60${size}5fa${topics.length}00`;
}
