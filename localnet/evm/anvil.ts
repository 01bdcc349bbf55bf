import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A real EVM node of our own (anvil, from npm), with instant mining and unlocked accounts. */
export type Anvil = {
  readonly rpcUrl: string;
  /** One JSON-RPC call. Throws with the node's own words. */
  rpc(method: string, params: readonly unknown[]): Promise<unknown>;
  stop(): Promise<void>;
};

/** `genesisAt`: when its first block was made; now unless told. `slotsInEpoch`: a block is final two epochs later; 32 unless told. */
export type AnvilOptions = {
  readonly chainId: number;
  readonly port?: number;
  readonly genesisAt?: Date;
  readonly slotsInEpoch?: number;
};

const START_TIMEOUT_MS = 30_000;

/**
 * Starts a node on a free port of this machine. Its accounts, and so the addresses of what they deploy, are the same everywhere.
 * @throws when it is not ready within 30 seconds.
 */
export async function startAnvil({ chainId, port = 0, genesisAt, slotsInEpoch = 32 }: AnvilOptions): Promise<Anvil> {
  const binary = fileURLToPath(new URL('../../node_modules/.bin/anvil', import.meta.url));
  const begin = genesisAt === undefined ? [] : ['--timestamp', String(Math.floor(genesisAt.getTime() / 1000))];
  const options = [
    '--port',
    String(port),
    '--chain-id',
    String(chainId),
    '--mnemonic-seed-unsafe',
    '7',
    '--slots-in-an-epoch',
    String(slotsInEpoch),
    ...begin,
  ];
  const child = spawn(binary, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const rpcUrl = await waitForUrl(child);
  let id = 0;
  return {
    rpcUrl,
    async rpc(method, params) {
      id += 1;
      const response = await fetch(rpcUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id, method, params }),
      });
      const answer: unknown = await response.json();
      if (typeof answer === 'object' && answer !== null && 'result' in answer) return answer.result;
      throw new Error(`anvil refused ${method}: ${JSON.stringify(answer)}`);
    },
    async stop() {
      process.removeListener('exit', kill);
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Anvil prints the address once it listens. */
async function waitForUrl(child: ChildProcess): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error('anvil has no output');
  const lines = createInterface({ input: stdout });
  const found = new Promise<string>((resolve, reject) => {
    lines.on('line', (line) => {
      const match = /Listening on (\S+)/.exec(line);
      if (match?.[1] !== undefined) resolve(`http://${match[1]}`);
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`anvil ended with code ${code} before it was ready`)));
    setTimeout(() => reject(new Error('anvil was not ready in time')), START_TIMEOUT_MS).unref();
  });
  const url = await found;
  stdout.resume();
  return url;
}
