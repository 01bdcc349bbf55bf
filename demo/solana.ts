import { extensions } from '../localnet/solana/instructions.ts';
import { type SolanaNode, startSolanaNode } from '../localnet/solana/solana-node.ts';
import { chains } from '../src/domain/chains.ts';

/** Circle's USDC, at the address it has on the real cluster. */
export const SOLANA_USDC = 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v';
const LAMPORTS = 1_000_000_000n;

export type DemoSolana = {
  readonly node: SolanaNode;
  readonly carol: string;
  readonly mints: { readonly bond: string; readonly split: string };
  /** Carol's USDC account, into which more can be minted. */
  readonly usdcAccount: string;
};

/** A local cluster with the genesis hash of the real one, and a wallet that holds something. */
export async function startSolana(): Promise<DemoSolana> {
  const genesisHash = chains.flatMap((chain) => (chain.family === 'solana' ? [chain.genesisHash] : []))[0] ?? '';
  const node = await startSolanaNode({ genesisHash });
  const carol = node.address('carol');
  node.setSol(carol, 42n * LAMPORTS + 123_456_789n);
  node.addStake('carol stake', { staker: node.address('validator'), withdrawer: carol, lamports: 10n * LAMPORTS });
  await node.createMint('usdc', { kind: 'spl', decimals: 6, at: SOLANA_USDC });
  await node.setMetaplexNames(SOLANA_USDC, { name: 'USD Coin', symbol: 'USDC' });
  const usdcAccount = await node.mintTo(SOLANA_USDC, carol, 3_200_000_000n);
  await node.mintTo(SOLANA_USDC, carol, 55_500_000n);
  const bond = await node.createMint('bond', {
    kind: 'spl-2022',
    decimals: 6,
    extensions: [extensions.metadataPointer(), extensions.interest(450)],
    metadata: { name: 'Demo Bond', symbol: 'DBOND' },
  });
  await node.mintTo(bond, carol, 1_000_000_000n);
  const split = await node.createMint('split', {
    kind: 'spl-2022',
    decimals: 8,
    extensions: [extensions.metadataPointer(), extensions.scaled(2)],
    metadata: { name: 'Demo Share after a split', symbol: 'DSHARE' },
  });
  await node.mintTo(split, carol, 250_000_000n);
  return { node, carol, mints: { bond, split }, usdcAccount };
}
