const UUID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text can be an id. One that cannot names nothing, and Postgres would refuse the whole query for it. */
export function isUuid(text: string): boolean {
  return UUID_PATTERN.test(text);
}
