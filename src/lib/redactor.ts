/** Takes known secrets out of text, wherever in it they are. */
export type Redactor = {
  /** The text with each secret, plain or percent-encoded, replaced. */
  redact(text: string): string;
  /** The same for a line of JSON, which writes some characters in its own way. The line stays JSON. */
  redactJson(line: string): string;
};

const MASK = '[secret]';
/** Anything shorter would hit words that mean no harm. */
const MIN_SECRET_LENGTH = 6;

/** A redactor of these secrets; those shorter than 6 characters are left alone. */
export function createRedactor(secrets: readonly string[]): Redactor {
  const forms = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .flatMap((secret) => [secret, encodeURIComponent(secret.toWellFormed())]);
  const inJson = forms.map(escapeForJson);
  // Twice for JSON inside of a text of the line.
  return { redact: createReplacer(forms), redactJson: createReplacer([...inJson, ...inJson.map(escapeForJson)]) };
}

function escapeForJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function createReplacer(forms: readonly string[]): (text: string) => string {
  if (forms.length === 0) return (text) => text;
  // A URL before the key in it, so that no half of it is left. One expression costs the same for many secrets as for one.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escapeForPattern).join('|'), 'g');
  return (text) => text.replace(pattern, MASK);
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
