import { address } from '@solana/kit';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { extensions, type MintExtension } from '../../../localnet/solana/instructions.ts';
import { createLocalSvm, type LocalSvm } from '../../../localnet/solana/local-svm.ts';
import { readTokenMint, type TokenMint } from '../../../src/adapters/solana/token-layout.ts';
import { toUiAmount } from '../../../src/adapters/solana/ui-amount.ts';
import { Decimal } from '../../../src/domain/decimal.ts';
import { START } from './solana-setup.ts';

let local: LocalSvm;
let now = START;

beforeAll(async () => {
  local = await createLocalSvm(START);
});

async function makeMint(seed: string, extension: MintExtension, decimals: number): Promise<string> {
  return local.createMint(seed, { kind: 'spl-2022', decimals, extensions: [extension] });
}

function mintAt(mint: string): TokenMint {
  const account = local.getAccount(address(mint));
  const found = account === undefined ? undefined : readTokenMint(Buffer.from(account.data));
  if (found === undefined) throw new Error('no mint');
  return found;
}

function wait(seconds: bigint): void {
  now += seconds;
  local.setTime(now);
}

/** Within what the program's floats hold exactly. */
const amount = fc.bigInt({ min: 0n, max: 10n ** 14n });

/** Where a product falls on a whole unit, the program's floats may fall beside it: 1.15 x 100 is 114.99999999999999 to them. */
async function expectAsProgram(mint: string, raw: bigint): Promise<void> {
  const told = new Decimal(await local.uiAmountOf(mint, raw));
  const found = mintAt(mint);
  const shown = toUiAmount(raw, found, now)?.amount;
  const unitsApart = shown?.minus(told).abs().shiftedBy(found.decimals).toNumber();
  expect(unitsApart, `${raw}: ${shown}, not ${told}`).toBeLessThanOrEqual(1);
}

describe('what a wallet shows is what the token program says, to the last unit', () => {
  test('for mints that bear interest, at any rate and age', async () => {
    const rate = fc.integer({ min: -2_000, max: 3_000 });
    const seconds = fc.bigInt({ min: 0n, max: 3n * 31_556_736n });
    let made = 0;
    await fc.assert(
      fc.asyncProperty(rate, rate, seconds, seconds, amount, async (first, second, before, after, raw) => {
        made += 1;
        const mint = await makeMint(`interest ${made}`, extensions.interest(first), 6);
        wait(before);
        await expectAsProgram(mint, raw);
        await local.setInterestRate(mint, second);
        wait(after);
        await expectAsProgram(mint, raw);
      }),
      { numRuns: 60 },
    );
  });

  test('for scaled mints, before and after a multiplier begins', async () => {
    const multiplier = fc.double({ min: 0.001, max: 10, noNaN: true, noDefaultInfinity: true });
    let made = 0;
    await fc.assert(
      fc.asyncProperty(multiplier, multiplier, amount, async (first, second, raw) => {
        made += 1;
        const mint = await makeMint(`scaled ${made}`, extensions.scaled(first), 9);
        await expectAsProgram(mint, raw);
        await local.setMultiplier(mint, second, now + 100n);
        wait(99n);
        await expectAsProgram(mint, raw);
        wait(1n);
        await expectAsProgram(mint, raw);
        expect(toUiAmount(raw, mintAt(mint), now)?.multiplier.toNumber()).toBe(second);
      }),
      { numRuns: 60 },
    );
  });
});

test('an amount beyond what floats hold keeps all its digits', () => {
  const next = { multiplier: 1, at: 0n };
  const mint: TokenMint = { decimals: 0, flags: [], metadata: null, ui: { kind: 'scaled', multiplier: 1, next } };
  expect(toUiAmount(2n ** 64n - 1n, mint, 0n)?.amount.toFixed()).toBe('18446744073709551615');
});

test('a mint without a rule, or with a multiplier that is no number, shows nothing of its own', () => {
  const at = (multiplier: number): TokenMint => ({
    decimals: 0,
    flags: [],
    metadata: null,
    ui: { kind: 'scaled', multiplier, next: { multiplier, at: 0n } },
  });
  for (const multiplier of [Number.NaN, Number.POSITIVE_INFINITY, -1]) expect(toUiAmount(1n, at(multiplier), 0n)).toBeNull();
  expect(toUiAmount(1n, { ...at(1), ui: null }, 0n)).toBeNull();
});
