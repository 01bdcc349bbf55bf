import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { AppError } from '../../domain/errors.ts';
import { createHttpClient, type HttpClient } from '../http-client.ts';
import { maskUrl } from '../mask-url.ts';
import { type OutboundGuard, portOf } from './outbound-guard.ts';

const CONNECT_TIMEOUT_MS = 3_000;
/** Of one name; each is tried when the one before it cannot be reached. */
const MOST_ADDRESSES = 3;

/**
 * A client for URLs that users have set. Each connection goes to an address that the guard has just checked, whatever the name leads to a moment later; what is
 * refused is told as `outbound_refused`, and of what fails nothing is told that would describe the network. Else as `createHttpClient`.
 */
export function createGuardedClient(guard: OutboundGuard): HttpClient {
  const http = createHttpClient({ connect: createGuardedConnector(guard) });
  return {
    async send(request) {
      const { href } = guard.parse(request.url);
      return http.send({ ...request, url: href }).catch((error: unknown) => {
        throw withoutDetails(error, href);
      });
    },
    close: () => http.close(),
  };
}

function createGuardedConnector(guard: OutboundGuard): buildConnector.connector {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });
  const open = (options: buildConnector.Options): Promise<Socket> =>
    new Promise((resolve, reject) => {
      connect(options, (...[error, socket]) => (error === null ? resolve(socket) : reject(error)));
    });
  const openFirst = async (options: buildConnector.Options): Promise<Socket> => {
    const { hostname, protocol, port } = options;
    const addresses = await guard.resolve({ protocol, host: hostname, port: portOf(protocol, port) });
    // The certificate is the name's, not the address's.
    const named = isIP(hostname) === 0 ? { ...options, servername: options.servername || hostname } : options;
    let failure: unknown;
    for (const address of addresses.slice(0, MOST_ADDRESSES)) {
      try {
        return await open({ ...named, hostname: address });
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  };
  return (options, callback) => {
    openFirst(options).then(
      (socket) => callback(null, socket),
      (error: Error) => callback(error, null),
    );
  };
}

/** Whether a port is closed, filtered or speaks something else is not for users to learn. */
function withoutDetails(error: unknown, url: string): unknown {
  if (!(error instanceof AppError) || error.code !== 'upstream_unreachable') return error;
  const provider = maskUrl(url);
  return new AppError('upstream_unreachable', `${provider} could not be reached.`, { provider });
}
