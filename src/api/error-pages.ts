import { errorTexts } from './error-texts.ts';
import { type ErrorFace, listHttpErrors } from './http-errors.ts';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem}
td,th{padding:.2rem 1rem .2rem 0;text-align:left;vertical-align:top}
code{background:#eee;padding:0 .2rem}`;

/** All codes in one table, each with a link to its page. */
export function renderErrorList(): string {
  const rows = listHttpErrors().map(
    ({ code, status, title }) =>
      `<tr id="${code}"><td><a href="/docs/errors/${code}"><code>${code}</code></a></td><td>${status}</td><td>${title}.</td></tr>`,
  );
  return renderPage(
    'Errors',
    `<p>Every error is a document of type <code>application/problem+json</code> with one of these codes. Codes stay as they are; more can be added.
The same codes tell in <code>sources[]</code> why a part of an answer is old or missing.</p>
<table><thead><tr><th>Code</th><th>Status</th><th>Meaning</th></tr></thead><tbody>
${rows.join('\n')}
</tbody></table>`,
  );
}

/** The page of one code, where the `type` of its problems leads. */
export function renderErrorPage({ code, status, title }: ErrorFace): string {
  const { meaning, cause, remedy } = errorTexts[code];
  return renderPage(
    title,
    `<p><code>${code}</code>, status ${status}</p>
<p>${toHtml(meaning)}</p>
<h2>When it happens</h2>
<p>${toHtml(cause)}</p>
<h2>What to do</h2>
<p>${toHtml(remedy)}</p>
<p><a href="/docs/errors">All errors</a></p>`,
  );
}

function renderPage(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} - chainfolio</title>
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
${content}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

/** Words in backquotes as code. */
function toHtml(text: string): string {
  const safe = text.replaceAll(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
  return safe.replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}
