import { createHash } from 'node:crypto';

/** Why a file was not taken for what it should be. */
export class BrokenSealError extends Error {
  override readonly name = 'BrokenSealError';
}

type Seal = { readonly sha256: string };

const LINE_FEED = 0x0a;
const SEAL_BEGINS = '{"sha256":';

/** Lines as bytes; `end` gives the last one, which holds a checksum of all before it. */
export function createSealer(): { add(lines: readonly string[]): Buffer; end(): Buffer } {
  const hash = createHash('sha256');
  return {
    add(lines) {
      const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''));
      hash.update(bytes);
      return bytes;
    },
    end: () => Buffer.from(`${JSON.stringify({ sha256: hash.digest('hex') } satisfies Seal)}\n`),
  };
}

/**
 * The lines that a sealer made out of a stream's bytes, without the last one. What is cut, altered, or has a line of more than `maxLineBytes` throws BrokenSealError, for the most part only after its lines were
 * given out: whoever acts on them must be able to take it back.
 */
export async function* readSealedLines(
  bytes: AsyncIterable<Buffer>,
  { maxLineBytes }: { readonly maxLineBytes: number },
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  // The line that may be the last one.
  let held: Buffer | undefined;
  for await (const line of splitLines(bytes, maxLineBytes)) {
    if (held !== undefined) {
      if (held.toString('latin1', 0, SEAL_BEGINS.length) === SEAL_BEGINS)
        throw new BrokenSealError('there is more after the checksum');
      hash.update(held);
      yield held.toString('utf8', 0, held.length - 1);
    }
    held = line;
  }
  const seal: Seal = { sha256: hash.digest('hex') };
  if (held?.toString() !== `${JSON.stringify(seal)}\n`) throw new BrokenSealError('the checksum does not fit');
}

/** Each with its line feed; what comes after the last one too. */
async function* splitLines(bytes: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      yield Buffer.concat([...parts, chunk.subarray(from, end + 1)]);
      parts = [];
      length = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    length += rest.length;
    if (length > maxLineBytes) throw new BrokenSealError('a line is too long');
    if (rest.length > 0) parts.push(rest);
  }
  if (parts.length > 0) yield Buffer.concat(parts);
}
