import { expectDocumentedAnswer } from './documented-answers.ts';

const plainFetch = globalThis.fetch;

/** Every answer that a test fetches from the API is held against the document before the test sees it. */
globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init);
  const request = new Request(input, { ...init, body: null });
  const type = response.headers.get('content-type') ?? '';
  // A stream has no end to wait for, and what is not JSON is documented as text. Prometheus has paths like ours, but gives no request an id.
  if (/json/.test(type) && response.headers.has('x-request-id') && request.url.includes('/api/v1/')) {
    const text = await response.clone().text();
    const headers = Object.fromEntries(response.headers);
    expectDocumentedAnswer(request, { status: response.status, headers, text });
  }
  return response;
};
