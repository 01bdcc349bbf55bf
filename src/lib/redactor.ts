/** Takes known secrets out of text, wherever in it they are, and whatever looks like a key of this service or a secret of a webhook. */
export type Redactor = {
  /** The text with each secret, plain or percent-encoded, replaced. */
  redact(text: string): string;
  /** The same for a line of JSON, which writes some characters in its own way. The line stays JSON. */
  redactJson(line: string): string;
};

const MASK = '[secret]';
/** Anything shorter would hit words that mean no harm. */
const MIN_SECRET_LENGTH = 6;
/** Secrets that the service makes and then does not know any more: they are told by their form. */
const MADE_HERE = 'cpf_[0-9A-Za-z]{12}_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=%]{16,}';

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
  // A URL before the key in it, so that no half of it is left. One expression costs the same for many secrets as for one.
  const longestFirst = [...new Set(forms)].sort((a, b) => b.length - a.length);
  const pattern = new RegExp([...longestFirst.map(escapeForPattern), MADE_HERE].join('|'), 'g');
  return (text) => text.replace(pattern, MASK);
}

function escapeForPattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/]/g, '\\$&');
}
