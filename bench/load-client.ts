import { runSteadyLoad } from './steady-load.ts';

/** A client in a process of its own, so that it slows nobody's clock: url, key, requests a second, seconds. Prints what came of it. */
const [url = '', key = '', perSecond = '', seconds = ''] = process.argv.slice(2);
console.log(JSON.stringify(await runSteadyLoad({ url, key, perSecond: Number(perSecond), seconds: Number(seconds) })));
