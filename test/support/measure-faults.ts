import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createHttpClient } from '../../src/lib/http-client.ts';

/**
 * A program of its own: calls each URL given ten times over and prints by how many bytes its memory grew at the most and how long its event loop stood still, but for one time in a hundred. To be run with --expose-gc. In the process of the server that makes the
 * answers, the server's memory would be measured with it.
 */
const urls = process.argv.slice(2);
const http = createHttpClient();
const signal = new AbortController().signal;
const call = (url: string): Promise<unknown> =>
  http.send({ url, signal, timeoutMs: 5_000, maxBytes: 8 * 1024 * 1024 }).catch(() => undefined);

const callAll = async (): Promise<void> => {
  for (const url of urls) await call(url);
  // When garbage is taken away is V8's affair; what is held on to is ours.
  globalThis.gc?.();
};

// Once for the code and the buffers that are there from then on.
await callAll();
const before = process.memoryUsage().rss;
let highest = before;
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();
for (let round = 0; round < 10; round += 1) {
  await callAll();
  highest = Math.max(highest, process.memoryUsage().rss);
}
process.stdout.write(JSON.stringify({ grownBytes: highest - before, p99DelayMs: delay.percentile(99) / 1e6 }));
await http.close();
