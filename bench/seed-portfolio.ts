import { parseEvmAddress } from '../src/adapters/evm/evm-address.ts';
import { createAssetStore } from '../src/db/asset-store.ts';
import { createBalanceStore } from '../src/db/balance-store.ts';
import { createPriceStore } from '../src/db/price-store.ts';
import type { TenantDb } from '../src/db/tenant-db.ts';
import { createWalletStore, type NewWallet } from '../src/db/wallet-store.ts';
import { Decimal } from '../src/domain/decimal.ts';
import type { SourceReading } from '../src/domain/holding.ts';
import { DEFAULT_TENANT_ID } from '../src/domain/tenant.ts';
import { listedTokens } from '../src/domain/token-list.ts';
import { chunk } from '../src/lib/concurrency.ts';

const CHAIN = 'ethereum';
const WALLETS_AT_ONCE = 1000;

/** The address of a wallet by its number. */
function benchAddress(index: number): string {
  return parseEvmAddress(`0xb0b${index.toString(16).padStart(37, '0')}`) ?? '';
}

/** Wallets on Ethereum, of the default tenant unless told; answers with their ids. */
export async function seedWallets(tenants: TenantDb, count: number, tenantId = DEFAULT_TENANT_ID): Promise<readonly string[]> {
  const store = createWalletStore(tenants);
  const ids: string[] = [];
  const wallets = Array.from(
    { length: count },
    (_, index): NewWallet => ({ family: 'evm', address: benchAddress(index), name: null, label: null, chains: [CHAIN] }),
  );
  for (const part of chunk(wallets, WALLETS_AT_ONCE)) {
    for (const { wallet } of await store.addMany(tenantId, part)) ids.push(wallet.id);
  }
  return ids;
}

type PortfolioSize = { readonly wallets: number; readonly tokensEach: number; readonly tenantId?: string };

/** A portfolio as a refresh leaves it: each wallet holds the coin and `tokensEach` listed tokens, all of them priced. */
export async function seedPortfolio(
  tenants: TenantDb,
  { wallets, tokensEach, tenantId = DEFAULT_TENANT_ID }: PortfolioSize,
): Promise<void> {
  const tokens = listedTokens(CHAIN);
  const base = { chain: CHAIN, decimals: 18, flags: [], listed: true } as const;
  const assets = await createAssetStore(tenants).upsertMany([
    { ...base, address: null, standard: 'native', symbol: 'ETH', name: 'Ether' },
    ...tokens.map(({ address, symbol, name }) => ({ ...base, address, standard: 'erc20', symbol, name }) as const),
  ]);
  const now = new Date();
  await createPriceStore(tenants).savePrices(
    new Map(
      assets.map(({ id }, index) => {
        const lastGood = { value: new Decimal('1.25').plus(index), source: 'defillama', quotedAt: now };
        return [id, { assetId: id, lastGood, suspect: null, checkedAt: now, attempts: [] }];
      }),
    ),
  );
  const ids = await seedWallets(tenants, wallets, tenantId);
  const readings = ids.map((walletId, w): SourceReading => {
    const held = [null, ...Array.from({ length: tokensEach }, (_, t) => tokens[(w * 7 + t) % tokens.length]?.address ?? null)];
    return {
      ...{ walletId, chain: CHAIN, kind: 'balances', status: 'ok', exhaustive: false, observedAt: now },
      block: { number: 23_000_000n, hash: `0x${'ab'.repeat(32)}` },
      readings: held.map((address, t) => {
        const amountRaw = BigInt(w + 1) * 10n ** 18n + BigInt(t);
        return { status: 'ok', asset: { chain: CHAIN, address }, amountRaw, frozenRaw: 0n, ui: null };
      }),
    };
  });
  for (const part of chunk(readings, WALLETS_AT_ONCE)) await createBalanceStore(tenants).saveReadings(tenantId, part);
}
