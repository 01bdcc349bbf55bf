import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGzip } from 'node:zlib';
import { withDatabase } from './compose/compose-upkeep.ts';
import { loadConfig } from './config.ts';
import type { Database } from './db/database.ts';
import { exportEverything, type RowCounts } from './db/export/export-store.ts';
import { describeCounts, describeTrouble } from './export-words.ts';
import { createSealer } from './lib/sealed-lines.ts';
import { StartupError } from './lib/startup-error.ts';

const USAGE = 'Usage: npm run export -- [--out <file>.jsonl[.gz]], or node src/export.ts --out - for the standard output';
const STANDARD_OUTPUT = '-';
/** For its owner's eyes only. */
const MODE = 0o600;

try {
  const out = readArguments(process.argv.slice(2));
  if (out === STANDARD_OUTPUT) process.stderr.write(`${await exportToStandardOutput()}\n`);
  else process.stdout.write(`${await exportToFile(out)}\n`);
} catch (error) {
  process.stderr.write(`The export failed: ${describeTrouble(error)}\n`);
  process.exitCode = 1;
}
process.exit();

function readArguments(args: readonly string[]): string {
  const fallback = `chainfolio-${new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z.jsonl.gz`;
  try {
    return parseArgs({ args: [...args], options: { out: { type: 'string' } } }).values.out ?? fallback;
  } catch {
    throw new StartupError(USAGE);
  }
}

/** The file gets its name when it is whole; one that bears it already is replaced then. */
async function exportToFile(file: string): Promise<string> {
  const unfinished = `${file}.part`;
  try {
    const counts = await withDatabase(loadConfig(), { mayShare: true }, async ({ all }) => {
      // One that was left there keeps its rights otherwise.
      await rm(unfinished, { force: true });
      const target = createWriteStream(unfinished, { mode: MODE, flags: 'wx', flush: true });
      return send(all, (bytes) => (file.endsWith('.gz') ? pipeline(bytes, createGzip(), target) : pipeline(bytes, target)));
    });
    await rename(unfinished, file);
    return `Exported ${describeCounts(counts)} to ${file}`;
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

/** For containers whose files nobody keeps. */
async function exportToStandardOutput(): Promise<string> {
  const { stdout } = process;
  const counts = await withDatabase(loadConfig(), { mayShare: true }, ({ all }) =>
    send(all, (bytes) => pipeline(bytes, stdout, { end: false })),
  );
  await new Promise((resolve) => stdout.write('', resolve));
  return `Exported ${describeCounts(counts)}`;
}

async function send(db: Database['db'], to: (bytes: Readable) => Promise<void>): Promise<RowCounts> {
  let counts: RowCounts = {};
  const sealer = createSealer();
  async function* seal(): AsyncGenerator<Buffer> {
    const onCounted = (all: RowCounts): void => {
      counts = all;
    };
    for await (const lines of exportEverything(db, onCounted)) yield sealer.add(lines);
    yield sealer.end();
  }
  await to(Readable.from(seal()));
  return counts;
}
