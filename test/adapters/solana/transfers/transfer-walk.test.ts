import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addressOf } from '../../../../localnet/solana/vm.ts';
import { readCursor, type TransferCursor, writeCursor } from '../../../../src/adapters/solana/transfers/transfer-cursor.ts';
import type { PageQuery, SignatureInfo } from '../../../../src/adapters/solana/transfers/transfer-rpc.ts';
import { createTransferWalk, type TransferWalk } from '../../../../src/adapters/solana/transfers/transfer-walk.ts';

const WALLET = addressOf('wallet');
const TOKEN = addressOf('token');
/** Found on the way, in the newest transaction that names it. */
const GONE = addressOf('gone');
const [FROM, TO] = [20n, 90n];

type Row = { readonly info: SignatureInfo; readonly names: readonly string[] };

/** Oldest first; many to a slot, so that pages end within slots. */
const chainArbitrary: fc.Arbitrary<readonly Row[]> = fc
  .constantFrom<string[]>([WALLET, TOKEN], [WALLET, TOKEN, GONE])
  .chain((all) =>
    fc.array(fc.record({ slot: fc.nat({ max: 100 }), names: fc.subarray(all, { minLength: 1 }) }), {
      maxLength: 600,
      size: 'max',
    }),
  )
  .map((rows) =>
    rows
      .toSorted((a, b) => a.slot - b.slot)
      .map(({ slot, names }, index) => {
        const info = { signature: `s${index}`, slot: BigInt(slot), isFailed: false, blockTime: null };
        // What closes an account names its wallet.
        return { info, names: names.includes(GONE) ? [...new Set([...names, WALLET])] : names };
      }),
  );

function pageOf(chain: readonly Row[], { address, before, limit }: PageQuery): readonly SignatureInfo[] {
  const newestFirst = chain.toReversed();
  const start = before === null ? 0 : newestFirst.findIndex(({ info }) => info.signature === before) + 1;
  const rows = newestFirst.slice(start).filter(({ names }) => names.includes(address));
  return rows.slice(0, limit).map(({ info }) => info);
}

/** One round; the signatures that it met. */
function step(walk: TransferWalk, chain: readonly Row[], count: number): readonly SignatureInfo[] {
  for (const query of walk.missing()) walk.accept(query, pageOf(chain, query));
  const steps = walk.peek(count);
  for (const { signature } of steps) {
    if (chain.find(({ info }) => info.signature === signature)?.names.includes(GONE)) walk.discover('token', GONE, signature);
  }
  if (steps.length > 0) walk.pass();
  return steps;
}

it('meets every signature of the stretch, newest first, whatever the pages and however often it is broken off', () => {
  fc.assert(
    fc.property(
      chainArbitrary,
      fc.array(fc.record({ count: fc.integer({ min: 1, max: 80 }), restarts: fc.boolean() }), { minLength: 1 }),
      (chain, turns) => {
        const accounts = [
          { kind: 'wallet', address: WALLET, before: null },
          { kind: 'token', address: TOKEN, before: null },
        ] as const;
        let walk = createTransferWalk({ toSlot: TO, hasStake: true, accounts }, FROM);
        const met: SignatureInfo[] = [];
        for (let turn = 0; !walk.isDone(); turn++) {
          const { count, restarts } = turns[turn % turns.length] ?? { count: 1, restarts: false };
          met.push(...step(walk, chain, count));
          if (restarts) walk = createTransferWalk(readCursor(writeCursor(walk.cursor())) as TransferCursor, FROM);
          expect(turn).toBeLessThan(5_000);
        }
        const expected = chain.filter(({ info }) => info.slot >= FROM && info.slot <= TO).map(({ info }) => info.signature);
        expect(new Set(met.map(({ signature }) => signature))).toEqual(new Set(expected));
        // What is known from the beginning comes in order, each once.
        if (chain.some(({ names }) => names.includes(GONE))) return;
        expect(met.length).toBe(expected.length);
        expect(met.every(({ slot }, index) => slot <= (met[index - 1]?.slot ?? slot))).toBe(true);
      },
    ),
    { numRuns: 50 },
  );
});
