import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { withDatabase } from './compose/compose-upkeep.ts';
import { loadConfig } from './config.ts';
import { importEverything } from './db/export/import-store.ts';
import { describeCounts, describeTrouble } from './export-words.ts';
import { readSealedLines } from './lib/sealed-lines.ts';
import { StartupError } from './lib/startup-error.ts';

const USAGE = 'Usage: npm run import -- <file>.jsonl[.gz], or - for the standard input';
const STANDARD_INPUT = '-';
/** A snapshot names each source that was missing, of however many wallets. */
const MAX_LINE_BYTES = 67_108_864;

try {
  process.stdout.write(`${await importFile(process.argv.slice(2))}\n`);
} catch (error) {
  process.stderr.write(`Nothing was imported: ${describeTrouble(error)}\n`);
  process.exitCode = 1;
}
process.exit();

async function importFile([file, ...rest]: readonly string[]): Promise<string> {
  if (file === undefined || rest.length > 0) throw new StartupError(USAGE);
  const counts = await withDatabase(loadConfig(), { mayShare: false }, ({ all }) =>
    readBytes(file, (bytes) => importEverything(all, readSealedLines(bytes, { maxLineBytes: MAX_LINE_BYTES }))),
  );
  return `Imported ${describeCounts(counts)} from ${file}`;
}

async function readBytes<T>(file: string, work: (bytes: AsyncIterable<Buffer>) => Promise<T>): Promise<T> {
  const source = file === STANDARD_INPUT ? process.stdin : createReadStream(file);
  return file.endsWith('.gz') ? pipeline(source, createGunzip(), work) : pipeline(source, work);
}
