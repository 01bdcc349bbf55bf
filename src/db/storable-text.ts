/**
 * Free text as the database keeps it: without NUL, which Postgres refuses together with all the rows beside it, without other control
 * characters, and without halves of surrogate pairs.
 */
export function toStorableText(text: string | null): string | null {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out.
  return text === null ? null : text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f]/g, '');
}
