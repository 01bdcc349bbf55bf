import { expect, it, onTestFinished, vi } from 'vitest';
import { Decimal } from '../../../src/domain/decimal.ts';
import { buildPortfolio } from '../../../src/domain/portfolio-builder.ts';
import { createLiveService, type LiveMessage } from '../../../src/services/events/live-service.ts';
import { NOW, USD } from '../../support/builders.ts';

const TENANT = 'tenant';
const EMPTY = { holdings: [], sources: [], currency: 'USD', fx: USD, minValue: null, includeSpam: false, now: NOW };

/** A live service over a portfolio whose worth a test sets, and a database that tells nothing by itself. */
function create({ isLive }: { readonly isLive: boolean }) {
  let worth = '1';
  const live = createLiveService({
    hub: {
      open: async () => ({
        channel: { tail: 7n, hear: () => undefined, follow: async () => () => undefined, close: () => undefined },
        release: () => undefined,
      }),
      close: () => undefined,
    },
    portfolio: { getPortfolio: async () => ({ ...buildPortfolio(EMPTY), totalUsdValue: new Decimal(worth) }) },
    feed: {
      currentVersion: async () => ({ own: 1n, shared: 1n, key: worth }),
      onChange: () => undefined,
      isLive: () => isLive,
    },
    log: { warn: () => undefined },
    limits: { perTenant: 2, inAll: 3 },
    onStream: () => undefined,
    onMessage: () => undefined,
  });
  return {
    live,
    change: (value: string) => {
      worth = value;
    },
    async listen(): Promise<readonly string[]> {
      const heard: string[] = [];
      const send = (message: LiveMessage): void => {
        if (message.kind !== 'event') heard.push(`${message.kind} ${message.totals.portfolio.totalUsdValue?.toFixed()}`);
      };
      const stream = await live.open(TENANT, { after: null, types: null });
      stream.start({ send, untilTaken: async () => undefined, end: () => undefined });
      await vi.advanceTimersByTimeAsync(0);
      return heard;
    },
  };
}

it('tells of changed totals also while the database does not tell of changes', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  for (const isLive of [false, true]) {
    const { live, change, listen } = create({ isLive });
    const heard = await listen();
    change('2');
    await vi.advanceTimersByTimeAsync(6_000);
    expect(heard).toEqual(isLive ? ['snapshot 1'] : ['snapshot 1', 'portfolio 2']);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(heard).toHaveLength(isLive ? 1 : 2);
    live.close();
  }
});

it('lets nobody have more streams than a tenant, or all together, may have', async () => {
  const { live } = create({ isLive: true });
  const open = (tenantId: string) => live.open(tenantId, { after: null, types: null });
  const first = await open('a');
  await open('a');
  await expect(open('a')).rejects.toMatchObject({ code: 'rate_limited' });
  await open('b');
  await expect(open('b')).rejects.toMatchObject({ code: 'rate_limited' });
  first.close();
  first.close();
  await open('b');
  await expect(open('c')).rejects.toMatchObject({ code: 'rate_limited' });
  live.close();
});
