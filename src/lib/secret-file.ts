import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a text to a file that only its owner may read, in the place of any that is there, and resolves when it is on the disk. */
export async function writeSecretFile(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // One that is there would keep its rights.
  await rm(file, { force: true });
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(`${text}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
