import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';

const MODULE = new URL('../../src/lib/stop-signal.ts', import.meta.url).href;

it('stops once for a signal that arrives twice', async () => {
  const script = `
    import { onStopSignal } from '${MODULE}';
    onStopSignal(() => {
      console.log('stopping');
      setTimeout(() => process.exit(0), 300);
    });
    setInterval(() => undefined, 1000);
    console.log('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (text.includes('ready')) child.kill('SIGINT');
    if (text.includes('stopping')) child.kill('SIGTERM');
  });
  const [code] = await once(child, 'close');
  expect({ code, output }).toEqual({ code: 0, output: 'ready\nstopping\n' });
});
