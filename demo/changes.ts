import type { PriceServer } from '../localnet/price-server.ts';
import { ALICE, BOB, type DemoEvm, payNative, payToken, TOKENS } from './ethereum.ts';
import { type DemoSolana, SOLANA_USDC } from './solana.ts';

export type DemoWorld = { readonly evm: DemoEvm; readonly solana: DemoSolana; readonly prices: PriceServer };

/** Number of steps after which the prices come round again. */
const CYCLE = 24;

/**
 * One step in the life of the demo: balances and prices change by rules that depend on the number of the step alone, so that every run shows the same.
 */
export async function changeWorld({ evm, solana, prices }: DemoWorld, step: number): Promise<void> {
  await payToken(evm.ethereum, { token: TOKENS.usdc.address, to: ALICE, amountRaw: 12_340_000n });
  await payNative(evm.ethereum, BOB, 10n ** 15n);
  if (step % 4 === 0) await payToken(evm.ethereum, { token: TOKENS.link.address, from: ALICE, to: BOB, amountRaw: 10n ** 18n });
  // Nothing moves there, but its blocks go on.
  await evm.base.rpc('anvil_mine', ['0x1']);
  await solana.node.mintMore(SOLANA_USDC, solana.usdcAccount, 1_000_000n);
  const wave = Math.round(Math.sin((step / CYCLE) * 2 * Math.PI) * 10_000);
  prices.setPrice('coingecko:ethereum', cents(310_542 + wave));
  prices.setPrice('coingecko:solana', cents(18_207 + Math.round(wave / 20)));
}

function cents(value: number): string {
  return `${Math.floor(value / 100)}.${String(value % 100).padStart(2, '0')}`;
}
