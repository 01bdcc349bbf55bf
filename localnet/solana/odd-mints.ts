import { address } from '@solana/kit';
import type { AssetFlag } from '../../src/domain/asset.ts';
import { extensions } from './instructions.ts';
import type { MetaplexNames } from './known-accounts.ts';
import type { LocalSvm, MintOptions } from './local-svm.ts';

/** A mint that does something real mints do, or worse, and what a truthful reader says of it. */
export type OddMint = {
  /** What is odd about it. */
  readonly oddity: string;
  readonly address: string;
  readonly standard: 'spl' | 'spl-2022';
  readonly decimals: number;
  readonly symbol: string | null;
  readonly name: string | null;
  readonly flags: readonly AssetFlag[];
  /** Whether all of every balance is frozen. */
  readonly isFrozen: boolean;
  /** Whether wallets show another amount than the decimals give. */
  readonly hasUiAmount: boolean;
};

type Recipe = {
  readonly oddity: string;
  readonly options: MintOptions;
  readonly metaplex?: MetaplexNames;
  readonly symbol?: string;
  readonly name?: string;
  readonly flags?: readonly AssetFlag[];
  readonly isFrozen?: boolean;
  readonly hasUiAmount?: boolean;
};

const YEAR_SECONDS = 31_556_736n;

/** Puts the odd mints on the chain; the same ones at the same addresses each time. The chain's clock is a year and a day further on afterwards. */
export async function createOddMints(local: LocalSvm, unixSeconds: bigint): Promise<readonly OddMint[]> {
  const mints: OddMint[] = [];
  for (const { oddity, options, metaplex, symbol, name, ...rest } of [...plain(), ...extended(local)]) {
    const mint = await local.createMint(`odd mint: ${oddity}`, options);
    if (metaplex !== undefined) await local.setMetaplexNames(mint, metaplex);
    mints.push({
      oddity,
      address: mint,
      standard: options.kind,
      decimals: options.decimals,
      symbol: symbol ?? null,
      name: name ?? null,
      flags: rest.flags ?? [],
      isFrozen: rest.isFrozen ?? false,
      hasUiAmount: rest.hasUiAmount ?? false,
    });
  }
  await letTimePass(local, mints, unixSeconds);
  return mints;
}

/** Rates and multipliers change on the way: one in the past, one in the future. */
async function letTimePass(local: LocalSvm, mints: readonly OddMint[], unixSeconds: bigint): Promise<void> {
  const find = (oddity: string): string => mints.find((mint) => mint.oddity === oddity)?.address ?? '';
  local.setTime(unixSeconds + YEAR_SECONDS);
  await local.setInterestRate(find('interest that changed its rate'), 1_250);
  const now = unixSeconds + YEAR_SECONDS + 86_400n;
  local.setTime(now);
  await local.setMultiplier(find('multiplier that changes tomorrow'), 3, now + 86_400n);
  await local.setMultiplier(find('multiplier that has changed'), 0.25, now - 86_400n);
}

function plain(): readonly Recipe[] {
  const spl = { kind: 'spl', decimals: 6 } as const;
  const longName = Buffer.alloc(1024 * 1024, 'L');
  return [
    { oddity: 'none', options: spl, metaplex: { name: 'Plain Dollar', symbol: 'PLUSD' }, symbol: 'PLUSD', name: 'Plain Dollar' },
    { oddity: 'no decimals, no metadata', options: { kind: 'spl', decimals: 0 } },
    {
      oddity: '255 decimals',
      options: { kind: 'spl', decimals: 255 },
      metaplex: { name: 'Dust', symbol: 'DUST' },
      symbol: 'DUST',
      name: 'Dust',
    },
    {
      oddity: 'name that is no UTF-8',
      options: spl,
      metaplex: { name: Uint8Array.of(0x41, 0xff, 0xfe, 0x42), symbol: 'BAD' },
      symbol: 'BAD',
      name: 'AB',
      flags: ['metadata_unreadable'],
    },
    {
      oddity: 'name of 1 MB',
      options: spl,
      metaplex: { name: longName, symbol: 'HUGE' },
      name: 'L'.repeat(64),
      flags: ['metadata_truncated'],
    },
    {
      oddity: 'NUL, right-to-left override and zero width in the names',
      options: spl,
      metaplex: { name: 'Real\u0000Dollar\u202e', symbol: 'US\u200bD' },
      symbol: 'USD',
      name: 'Real Dollar',
    },
    {
      oddity: 'metadata of another mint',
      options: spl,
      metaplex: { name: 'Stolen', symbol: 'STL', mint: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v' },
      flags: ['metadata_unreadable'],
    },
    { oddity: 'empty names', options: spl, metaplex: { name: '', symbol: '' } },
  ];
}

function extended(local: LocalSvm): readonly Recipe[] {
  const base = { kind: 'spl-2022', decimals: 9 } as const;
  const hook = address(local.address('hook program'));
  const named = (
    symbol: string,
    name: string,
  ): Pick<Recipe, 'symbol' | 'name'> & { metadata: { symbol: string; name: string } } => ({
    symbol,
    name,
    metadata: { symbol, name },
  });
  const { metadata, ...names } = named('META', 'Own Metadata');
  return [
    { oddity: 'Token-2022 without extensions', options: base },
    { oddity: 'metadata in the mint', options: { ...base, extensions: [extensions.metadataPointer()], metadata }, ...names },
    {
      oddity: 'long names in the mint',
      options: {
        ...base,
        extensions: [extensions.metadataPointer()],
        metadata: { name: 'N'.repeat(300), symbol: 'S'.repeat(100) },
      },
      symbol: 'S'.repeat(64),
      name: 'N'.repeat(64),
    },
    {
      oddity: 'Token-2022 with metadata at Metaplex',
      options: base,
      metaplex: { name: 'Elsewhere', symbol: 'ELSE' },
      symbol: 'ELSE',
      name: 'Elsewhere',
    },
    { oddity: 'transfer fee', options: { ...base, extensions: [extensions.transferFee(250)] }, flags: ['transfer_fee'] },
    {
      oddity: 'interest',
      options: { ...base, extensions: [extensions.interest(500)] },
      flags: ['interest_bearing'],
      hasUiAmount: true,
    },
    {
      oddity: 'interest that changed its rate',
      options: { ...base, extensions: [extensions.interest(-300)] },
      flags: ['interest_bearing'],
      hasUiAmount: true,
    },
    {
      oddity: 'multiplier that changes tomorrow',
      options: { ...base, extensions: [extensions.scaled(1.5)] },
      flags: ['scaled_ui_amount'],
      hasUiAmount: true,
    },
    {
      oddity: 'multiplier that has changed',
      options: { ...base, extensions: [extensions.scaled(12.345678901)] },
      flags: ['scaled_ui_amount'],
      hasUiAmount: true,
    },
    {
      oddity: 'accounts that begin frozen',
      options: { ...base, extensions: [extensions.defaultFrozen()] },
      flags: ['default_frozen'],
      isFrozen: true,
    },
    {
      oddity: 'permanent delegate and transfer hook',
      options: { ...base, extensions: [extensions.permanentDelegate(), extensions.transferHook(hook)] },
      flags: ['permanent_delegate', 'transfer_hook'],
    },
    { oddity: 'pausable', options: { ...base, extensions: [extensions.pausable()] }, flags: ['pausable'] },
    { oddity: 'non-transferable', options: { ...base, extensions: [extensions.nonTransferable()] }, flags: ['non_transferable'] },
    { oddity: 'confidential', options: { ...base, extensions: [extensions.confidential()] }, flags: ['confidential'] },
    {
      oddity: 'many extensions at once',
      options: {
        ...base,
        extensions: [
          extensions.transferFee(1),
          extensions.closeAuthority(),
          extensions.permanentDelegate(),
          extensions.scaled(1e-6),
          extensions.pausable(),
          extensions.metadataPointer(),
        ],
        metadata: { name: 'Everything', symbol: 'ALL' },
      },
      symbol: 'ALL',
      name: 'Everything',
      flags: ['transfer_fee', 'permanent_delegate', 'scaled_ui_amount', 'pausable'],
      hasUiAmount: true,
    },
  ];
}
