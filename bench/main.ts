import { benchApi } from './api.ts';
import { type BenchLine, formatLine } from './bench-line.ts';
import { benchEvents } from './events.ts';
import { benchHistory, benchLargeHistory } from './history.ts';
import { benchHundredThousand } from './hundred-thousand.ts';
import { benchMiddleware } from './middleware.ts';
import { benchNginx } from './nginx.ts';
import { benchRefresh } from './refresh.ts';
import { benchRowSecurity } from './row-security.ts';
import { benchStart } from './start.ts';
import { benchTenants } from './tenants.ts';

const PARTS: Readonly<Record<string, () => Promise<readonly BenchLine[]>>> = {
  api: benchApi,
  events: benchEvents,
  history: benchHistory,
  'hundred-thousand': benchHundredThousand,
  middleware: benchMiddleware,
  nginx: benchNginx,
  refresh: benchRefresh,
  'row-security': benchRowSecurity,
  start: benchStart,
  tenants: benchTenants,
};

/** Those that run only when they are named. */
const LARGE_PARTS: typeof PARTS = { 'history-100m': benchLargeHistory };

/** Prints a line a measure: name, value, unit, ratio to its ceiling (`-` where there is none). Arguments: the parts to run, all but the large ones unless told. */
const asked = process.argv.slice(2);
for (const name of asked.length === 0 ? Object.keys(PARTS) : asked) {
  const part = PARTS[name] ?? LARGE_PARTS[name];
  if (part === undefined) throw new Error(`there is no part ${name}: ${Object.keys({ ...PARTS, ...LARGE_PARTS }).join(', ')}`);
  for (const line of await part()) console.log(formatLine(line));
}
