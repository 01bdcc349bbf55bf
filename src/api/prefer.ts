/** How long a client wants to be kept waiting, and the `Preference-Applied` header that tells it what it got. */
export type WaitPreference = { readonly waitMs: number; readonly applied: string | null };

const DEFAULT_WAIT_SECONDS = 10;
const MAX_WAIT_SECONDS = 60;

/**
 * Reads `wait` and `respond-async` out of a `Prefer` header (RFC 7240). A wait over 60 s counts as 60; `respond-async` alone is a wait of 0.
 * What is not understood is passed over, as the standard has it.
 */
export function parsePrefer(header: string | undefined): WaitPreference {
  const preferences = new Map<string, string>();
  for (const part of (header ?? '').slice(0, 1000).split(',')) {
    const [preference = ''] = part.split(';');
    const [name = '', value = ''] = preference.split('=').map((text) => text.trim().toLowerCase());
    // The first of several is the one that counts.
    if (name !== '' && !preferences.has(name)) preferences.set(name, value.replace(/^"(.*)"$/, '$1'));
  }
  const wait = preferences.get('wait');
  const isAsync = preferences.has('respond-async');
  if (wait === undefined || !/^\d+$/.test(wait)) {
    return isAsync ? { waitMs: 0, applied: 'respond-async' } : { waitMs: DEFAULT_WAIT_SECONDS * 1000, applied: null };
  }
  const seconds = Math.min(Number(wait), MAX_WAIT_SECONDS);
  return { waitMs: seconds * 1000, applied: isAsync ? `respond-async, wait=${seconds}` : `wait=${seconds}` };
}
