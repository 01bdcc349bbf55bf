/** Labels of a host name that look like a key rather than a name: long, with digits among the letters. */
const KEY_LIKE = /^(?=[^.]*\d)(?=[^.]*[a-z])[a-z0-9-]{20,}$/i;

/** The part of a URL that is safe to show: host and port, with a label that could be a key cut out. */
export function maskUrl(url: string): string {
  const { host } = new URL(url);
  return host
    .split('.')
    .map((label) => (KEY_LIKE.test(label) ? '***' : label))
    .join('.');
}
