import { parse } from 'lossless-json';

/**
 * Parses JSON with every number kept as the digits that were written: a price must not pass through a float. Gives undefined for what is not
 * JSON.
 */
export function parseLosslessJson(text: string): unknown {
  try {
    return parse(text, null, (digits) => digits);
  } catch {
    return undefined;
  }
}
