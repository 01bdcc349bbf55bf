import { Writable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createLineWriter } from '../../src/lib/line-writer.ts';

/** A stream whose writes end when they are told to. */
function heldStream() {
  const chunks: string[] = [];
  const ends: (() => void)[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      ends.push(() => done());
    },
  });
  return { stream, chunks, end: () => ends.shift()?.() };
}

it('writes the lines of one turn together, in order', async () => {
  const { stream, chunks } = heldStream();
  const writer = createLineWriter(stream);
  for (const line of ['a\n', 'b\n', 'c\n']) expect(writer.write(line)).toBe(true);
  expect(chunks).toEqual([]);
  await turn();
  expect(chunks).toEqual(['a\nb\nc\n']);
});

it('has one write under way at a time, and drops what does not fit behind it', async () => {
  const { stream, chunks, end } = heldStream();
  const writer = createLineWriter(stream);
  writer.write('first\n');
  await turn();
  const line = `${'x'.repeat(1023)}\n`;
  let taken = 0;
  while (writer.write(line)) taken += 1;
  expect(taken).toBeGreaterThanOrEqual(1024);
  expect(taken).toBeLessThan(1030);
  expect(writer.write('dropped\n')).toBe(false);
  expect(chunks).toEqual(['first\n']);
  end();
  await turn();
  expect(chunks[1]).toBe(line.repeat(taken));
  expect(writer.write('last\n')).toBe(true);
  end();
  await turn();
  expect(chunks[2]).toBe('last\n');
});

it('hands over what waits when it is asked to', () => {
  const { stream, chunks } = heldStream();
  const writer = createLineWriter(stream);
  writer.write('end\n');
  writer.flush();
  expect(chunks).toEqual(['end\n']);
});

it('takes nothing for a while after a write that failed, and lives on', async () => {
  const stream = new Writable({ autoDestroy: false, write: (_chunk, _encoding, done) => done(new Error('gone')) });
  const writer = createLineWriter(stream);
  expect(writer.write('a\n')).toBe(true);
  await turn();
  await turn();
  expect(writer.write('b\n')).toBe(false);
});
