import { createServer, type RequestListener, type Server } from 'node:http';
import supertest, { type Agent } from 'supertest';

const servers = new WeakMap<RequestListener, Server>();

/**
 * Requests to an app, which listens once for all of them, or to the address of a service. supertest's own way is a server and a
 * connection a request: thousands in a run, and one in some ten thousand meets the remains of an older one and is refused.
 */
export function request(target: RequestListener | Server | string): Agent {
  return supertest(typeof target === 'function' ? listen(target) : target);
}

function listen(app: RequestListener): Server {
  const listening = servers.get(app);
  if (listening !== undefined) return listening;
  const server = createServer(app).listen(0);
  server.unref();
  servers.set(app, server);
  return server;
}
