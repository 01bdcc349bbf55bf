import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import helmet from 'helmet';

const NONE = ["'none'"];

/**
 * Fixed for every answer, as names and values in turn: nothing served here may be embedded, framed, sniffed or loaded from elsewhere. The docs widen the
 * policy for themselves. Helmet is asked once: it would set them one by one for each answer, at the cost of all that Express does.
 */
export const SECURITY_HEADERS: readonly string[] = collect();

function collect(): readonly string[] {
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  const setHeaders = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: NONE, frameAncestors: NONE, baseUri: NONE, formAction: NONE },
    },
    xFrameOptions: { action: 'deny' },
    // Whoever ends TLS says so, since it binds a whole host.
    strictTransportSecurity: false,
    // Words to programs that no longer exist, or to pages.
    xDnsPrefetchControl: false,
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
  });
  setHeaders(request, response, (error) => {
    if (error !== undefined) throw error;
  });
  return response.getHeaderNames().flatMap((name) => [name, String(response.getHeader(name))]);
}
