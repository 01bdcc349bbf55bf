import { inject } from 'vitest';
import { type ApiDocument, readApiDocument } from '../../fuzz/api-document.ts';
import { checkAnswer, type FuzzAnswer } from '../../fuzz/check-answer.ts';

let document: ApiDocument | undefined;

/** Fails for an answer of the API that is not as the served document has it, down to fields that it does not name. */
export function expectDocumentedAnswer(request: { readonly method: string; readonly url: string }, answer: FuzzAnswer): void {
  const { pathname, search } = new URL(request.url);
  if (!pathname.startsWith('/api/v1/')) return;
  document ??= readApiDocument(JSON.parse(inject('openApi')));
  const faults = checkAnswer(document, { method: request.method, target: pathname + search }, answer);
  // A test may break what the service stands on.
  const undocumented = faults.filter((fault) => !/^a 5\d\d$/.test(fault));
  if (undocumented.length === 0) return;
  throw new Error(
    `${request.method} ${request.url} answered ${answer.status}: ${undocumented.join('; ')}: ${answer.text.slice(0, 500)}`,
  );
}
