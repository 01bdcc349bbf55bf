import { benchRefresh } from './refresh.ts';

/** Prints a line a measure: name, value, unit, ratio to its ceiling (`-` where there is none). */
for (const { name, value, unit, ratio } of await benchRefresh()) {
  const digits = unit === 'requests' ? 0 : 1;
  console.log(`${name} ${value.toFixed(digits)} ${unit} ${ratio === null ? '-' : ratio.toFixed(2)}`);
}
