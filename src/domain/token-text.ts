const MAX_CODE_POINTS = 64;

/** Many times more UTF-16 units than any honest name needs; the rest of a megabyte is not worth a look. */
const MAX_UNITS_READ = MAX_CODE_POINTS * 16;

/**
 * What a token calls itself, made fit for display and for the database: NFC, without control, invisible (bidi, zero-width, fillers), private
 * and unpaired surrogate characters, at most two marks on a letter, white space collapsed, cut at 64 code points. Null when nothing is left.
 */
export function cleanTokenText(text: string): string | null {
  const visible = text
    .slice(0, MAX_UNITS_READ)
    .toWellFormed()
    // The braille blank is the one visible character that shows nothing.
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u{2800}]/gu, ' ')
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Default_Ignorable_Code_Point}\u{FFFD}]/gu, '')
    .normalize('NFC')
    .replace(/(\p{M}{2})\p{M}+/gu, '$1')
    .replace(/\s+/gu, ' ')
    .trim();
  const cut = [...visible].slice(0, MAX_CODE_POINTS).join('').trim();
  return cut === '' ? null : cut;
}
