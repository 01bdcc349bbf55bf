import { afterEach, describe, expect, it } from 'vitest';
import { toHexWord } from '../support/hex-word.ts';
import { type Body, startTestStack, type TestStack } from '../support/test-stack.ts';

const PATIENCE = { timeout: 90_000, interval: 250 };
const ETHER = 10n ** 18n;
/** DAI, which is listed: no tenant needs to add it. */
const DAI = '0x6B175474E89094C44Da98b954EedeAC495271d0F';
/** keccak256("transfer(address,uint256)"), its first four bytes. */
const TRANSFER = '0xa9059cbb';

let stack: TestStack | undefined;
afterEach(async () => {
  await stack?.close();
  stack = undefined;
});

describe('a service that imports transfers on schedule', () => {
  it('tells what came, what went and what it cost, with nothing left to explain', async () => {
    const started = await startTestStack(async () => ({
      EMBEDDED_WORKER: 'true',
      REFRESH_INTERVAL_SECONDS: '10',
      SNAPSHOT_INTERVAL_SECONDS: '10',
      TRANSFER_INTERVAL_SECONDS: '10',
    }));
    stack = started;
    const { ethereum: chain } = started;
    const [, alice = '', bob = '', outsider = ''] = (await chain.rpc('eth_accounts', [])) as string[];
    await chain.putCode(DAI, 'Token');
    await chain.setBalance(DAI, outsider, 1000n * ETHER);
    const send = async (from: string, transaction: object): Promise<void> => {
      const hash = await chain.rpc('eth_sendTransaction', [{ from, ...transaction }]);
      while ((await chain.rpc('eth_getTransactionReceipt', [hash])) === null);
    };
    const sendDai = (from: string, to: string, amount: bigint): Promise<void> =>
      send(from, { to: DAI, data: `${TRANSFER}${toHexWord(to)}${toHexWord(amount)}` });
    const walletIds: string[] = [];
    for (const address of [alice, bob])
      walletIds.push((await started.post('/wallets', { address, chain: ['ethereum'] }, 201)).id);
    const metrics = async (): Promise<string> => (await fetch(`${started.url}/metrics`)).text();
    await expect.poll(metrics, PATIENCE).toMatch(/transfer_imports_total\{chain="ethereum",outcome="ok"\} [1-9]/);
    await sendDai(outsider, alice, 100n * ETHER);
    await sendDai(alice, bob, 40n * ETHER);
    await send(alice, { to: outsider, value: `0x${ETHER.toString(16)}` });
    await chain.rpc('anvil_mine', ['0x60']);
    const list = async (): Promise<readonly Body[]> => (await started.get('/transactions?chain=ethereum')).transactions;
    const told = async (): Promise<readonly string[]> =>
      (await list())
        .filter(({ origin }) => origin === 'chain')
        .map(({ type, token_symbol: symbol, amount_raw: raw }) => `${type} ${symbol} ${raw}`);
    await expect.poll(async () => (await told()).length, PATIENCE).toBe(6);
    expect(await told()).toEqual(
      expect.arrayContaining([
        `deposit DAI ${100n * ETHER}`,
        `internal DAI ${-40n * ETHER}`,
        `internal DAI ${40n * ETHER}`,
        `withdrawal ETH ${-ETHER}`,
        expect.stringMatching(/^fee ETH -\d+$/),
      ]),
    );
    // What is told of the coin is what it moved by, from the 10 000 that anvil gives every account.
    const moved = (await list())
      .filter((one) => one.origin === 'chain' && one.wallet_id === walletIds[0] && one.token_symbol === 'ETH')
      .reduce((sum, one) => sum + BigInt(one.amount_raw), 0n);
    expect(BigInt(String(await chain.rpc('eth_getBalance', [alice, 'latest'])))).toBe(10_000n * ETHER + moved);
    expect((await list()).map(({ type }) => type)).not.toContain('unexplained');
    expect((await started.get('/health')).parts).toContainEqual(
      expect.objectContaining({ name: 'schedule:transfers', status: 'ok' }),
    );
  }, 180_000);
});
