import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Asset } from '../../../src/domain/asset.ts';
import { DEFAULT_TENANT_ID as TENANT } from '../../../src/domain/tenant.ts';
import type { Wallet } from '../../../src/domain/wallet.ts';
import { ownerOf } from '../../support/stub-services.ts';
import { createTestApi } from '../../support/test-api.ts';
import { type ChartWorld, createChartWorld } from './chart-world.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** When clocks change in Berlin and New York, and the leap day. */
const SPECIAL_DAYS = ['2027-10-31', '2027-11-07', '2028-02-29', '2028-03-12', '2028-03-26', '2028-10-29'];
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Pacific/Apia'];

/** Snapshots around the day that Samoa skipped, then a year with a leap day, its clock changes, gaps, restarts, and a clock that jumps back. */
let world: ChartWorld;
let wallet: Wallet;
let asset: Asset;
/** What was written down: by moment, the worth. */
const written = new Map<number, string>();
let amount = 0n;
let lastRead = 0;

/** Reads the wallet, which holds more each time, and writes that down when the clock says `moment`. Nothing is read anew while a clock that was set back catches up. */
async function write(moment: number): Promise<void> {
  world.setClock(new Date(moment));
  if (moment > lastRead) {
    amount += 1n;
    lastRead = moment;
    await world.hold(wallet, [[asset, amount]]);
  }
  // A process of its own each time.
  const snapshot = await world.createSnapshots().take(TENANT);
  expect(snapshot).toBeDefined();
  if (snapshot !== undefined) written.set(snapshot.at.getTime(), `${amount * 2n}`);
}

beforeAll(async () => {
  world = await createChartWorld();
  wallet = await world.follow();
  asset = await world.addAsset({ decimals: 0 });
  await world.quote(asset, '2', new Date('2011-12-28T00:00:00Z'));
  const samoa = Date.parse('2011-12-29T04:00:00Z');
  for (let hours = 0; hours < 72; hours += 5) await write(samoa + hours * HOUR_MS);
  const start = Date.parse('2027-10-20T03:17:00Z');
  for (let day = 0; day < 390; day += 1) {
    const moment = start + day * DAY_MS + ((day * 7) % 24) * HOUR_MS;
    const isSpecial = SPECIAL_DAYS.some((one) => Math.abs(Date.parse(one) - moment) < 2 * DAY_MS);
    // Two outages, the second over the end of summer time in New York.
    const isOut = (day > 40 && day < 55) || (day > 372 && day < 380);
    if (isOut || !(isSpecial || day % 4 === 0)) continue;
    await write(moment);
    // The clock is set back by an hour, and what is written down then comes right after.
    if (day % 96 === 20) await write(moment - HOUR_MS);
  }
  world.setClock(new Date(start + 391 * DAY_MS));
}, 120_000);
afterAll(() => world.close());

/** The date in a zone, by another library than the one that makes the intervals. */
function dateIn(timeZone: string): (moment: number | Date) => string {
  const format = new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' });
  return (moment) => format.format(moment);
}

type Wire = { from: string; to: string; at: string | null; value: string | null; carried_forward: boolean };

async function read(query: string): Promise<readonly Wire[]> {
  const api = createTestApi({ history: world.history }, { authenticate: async () => ownerOf(TENANT) });
  return (await api.call('GET', `/portfolio/history?${query}`)).body.points;
}

/** The last thing written on each date of the zone, by date. */
function lastByDate(timeZone: string): ReadonlyMap<string, string> {
  const toDate = dateIn(timeZone);
  return new Map([...written].map(([moment, value]) => [toDate(moment), value]));
}

it.each(ZONES)('each day of %s tells what was last written down in it', async (zone) => {
  const toDate = dateIn(zone);
  const expected = lastByDate(zone);
  const points = await read(`interval=1d&tz=${zone}&from=2027-10-20&to=2028-11-16`);
  expect(points.length).toBeGreaterThan(390);
  for (const { from, to, at, value } of points) {
    const day = toDate(new Date(from));
    expect([day, value]).toEqual([day, expected.get(day) ?? null]);
    expect(toDate(Date.parse(to) - 1)).toBe(day);
    expect(toDate(new Date(Date.parse(from) - 1))).not.toBe(day);
    if (at !== null) expect(toDate(new Date(at))).toBe(day);
  }
  expect(points.map(({ from }) => toDate(new Date(from)))).toContain('2028-02-29');
  const lengths = new Set(points.map(({ from, to }) => (Date.parse(to) - Date.parse(from)) / HOUR_MS));
  const hasSummerTime = zone === 'Europe/Berlin' || zone === 'America/New_York';
  expect([...lengths].toSorted()).toEqual(hasSummerTime ? [23, 24, 25] : [24]);
});

it('has no day that Samoa skipped, and nothing of it is lost', async () => {
  const points = await read('interval=1d&tz=Pacific/Apia&from=2011-12-28&to=2012-01-02');
  const toDate = dateIn('Pacific/Apia');
  const days = points.map(({ from, value }) => [toDate(new Date(from)), value]);
  const expected = lastByDate('Pacific/Apia');
  expect(days).toEqual(['2011-12-28', '2011-12-29', '2011-12-31', '2012-01-01'].map((day) => [day, expected.get(day) ?? null]));
  expect(expected.has('2011-12-30')).toBe(false);
});

it('carries what was last written down over a gap', async () => {
  const points = await read('interval=1d&fill=previous&from=2027-11-25&to=2027-12-20');
  expect(points.filter(({ carried_forward: isCarried }) => isCarried).length).toBeGreaterThanOrEqual(13);
  for (const [index, { carried_forward: isCarried, value, at }] of points.entries()) {
    expect(value).not.toBeNull();
    if (isCarried) expect({ value, at }).toEqual({ value: points[index - 1]?.value, at: points[index - 1]?.at });
  }
});

it.each(['1w', '1M'] as const)('tells the end of each %s of each zone', async (step) => {
  for (const zone of ZONES) {
    for (const { from, to, value } of await read(`interval=${step}&tz=${zone}&from=2027-10-20&to=2028-11-16`)) {
      const inside = [...written].filter(([moment]) => moment >= Date.parse(from) && moment < Date.parse(to));
      expect(value).toBe(inside.at(-1)?.[1] ?? null);
    }
  }
});

it('loses and doubles nothing where the clock was set back', async () => {
  const moments = [...written.keys()];
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect(await world.count('snapshots')).toBe(written.size);
  expect(moments.filter((moment, index) => moment - (moments[index - 1] ?? 0) === 1)).toHaveLength(4);
});
