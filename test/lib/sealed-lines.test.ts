import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BrokenSealError, createSealer, readSealedLines } from '../../src/lib/sealed-lines.ts';

const lines = fc.array(
  fc.string({ unit: 'binary', maxLength: 30 }).map((line) => line.replaceAll('\n', '')),
  { maxLength: 8 },
);

function seal(batches: readonly (readonly string[])[]): Buffer {
  const sealer = createSealer();
  return Buffer.concat([...batches.map((batch) => sealer.add(batch)), sealer.end()]);
}

/** The bytes in pieces of this length. */
async function* inPieces(bytes: Buffer, length: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < bytes.length; start += length) yield bytes.subarray(start, start + length);
}

async function read(bytes: Buffer, pieceLength = 7, maxLineBytes = 10_000): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const line of readSealedLines(inPieces(bytes, pieceLength), { maxLineBytes })) found.push(line);
  return found;
}

it('gives back the lines, however the bytes come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(lines, { maxLength: 4 }), fc.integer({ min: 1, max: 50 }), async (batches, length) => {
      expect(await read(seal(batches), length)).toEqual(batches.flat());
    }),
  );
});

it('refuses what was cut, lengthened or altered anywhere', async () => {
  await fc.assert(
    fc.asyncProperty(lines, fc.nat(), fc.integer({ min: 1, max: 255 }), async (some, seed, flip) => {
      const bytes = seal([some]);
      const place = seed % bytes.length;
      const altered = Buffer.from(bytes);
      altered[place] = (altered[place] ?? 0) ^ flip;
      for (const broken of [bytes.subarray(0, place), Buffer.concat([bytes, bytes.subarray(0, place + 1)]), altered]) {
        await expect(read(broken)).rejects.toThrow(BrokenSealError);
      }
    }),
  );
});

it('refuses a line that would fill the memory', async () => {
  await expect(read(seal([['x'.repeat(500)]]), 7, 400)).rejects.toThrow('a line is too long');
});
