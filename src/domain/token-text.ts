const MAX_CODE_POINTS = 64;

/**
 * What a token calls itself, made fit for display and for the database: NFC, without control, formatting (bidi, zero-width), private
 * and unpaired surrogate characters, white space collapsed, cut at 64 code points. Null when nothing is left.
 */
export function cleanTokenText(text: string): string | null {
  // Four UTF-16 units for each character kept is more than any honest name needs; the rest of a megabyte is not worth a look.
  const head = text.slice(0, MAX_CODE_POINTS * 16).toWellFormed();
  const visible = head
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}\u{FFFD}]/gu, '')
    .normalize('NFC')
    .replace(/\s+/gu, ' ')
    .trim();
  const cut = [...visible].slice(0, MAX_CODE_POINTS).join('').trim();
  return cut === '' ? null : cut;
}
