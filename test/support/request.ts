import { createServer, type RequestListener, type Server } from 'node:http';
import supertest, { type Agent, type Response, type Test } from 'supertest';
import { expectDocumentedAnswer } from './documented-answers.ts';

const servers = new WeakMap<RequestListener, Server>();

/**
 * Requests to an app, which listens once for all of them, or to the address of a service. supertest's own way is a server and a
 * connection a request: thousands in a run, and one in some ten thousand meets the remains of an older one and is refused.
 * Every answer is held against the served document.
 */
export function request(target: RequestListener | Server | string): Agent {
  const agent = supertest(typeof target === 'function' ? listen(target) : target);
  for (const method of ['get', 'post', 'patch', 'delete'] as const) {
    const plain: (path: string) => Test = agent[method].bind(agent);
    agent[method] = (path: string) => plain(path).expect(checkAnswer);
  }
  return agent;
}

/** What a test reads for itself (a page, a stream) has no text here. */
function checkAnswer({ request: { method, url }, status, headers, text }: Response & { request: Asked }): void {
  if (text !== undefined) expectDocumentedAnswer({ method, url }, { status, headers, text });
}

type Asked = { readonly method: string; readonly url: string };

function listen(app: RequestListener): Server {
  const listening = servers.get(app);
  if (listening !== undefined) return listening;
  const server = createServer(app).listen(0);
  server.unref();
  servers.set(app, server);
  return server;
}
