/** A few calls of the public API, as any client would make them. */
export type ApiClient = {
  get(path: string): Promise<unknown>;
  post(path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<unknown>;
};

/** @throws for every answer that is not a 2xx, with its problem document. */
export function createApiClient(baseUrl: string): ApiClient {
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const response = await fetch(`${baseUrl}/api/v1${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${path} answered ${response.status}: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    get: (path) => send(path, {}),
    post: (path, body, headers = {}) =>
      send(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body ?? {}),
      }),
  };
}
