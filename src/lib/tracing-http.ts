import type { HttpClient } from './http-client.ts';
import { maskUrl } from './mask-url.ts';
import type { Tracer } from './tracing.ts';
import { currentTrace, formatTraceparent } from './tracing-context.ts';

/** A client whose calls belong to the trace of whoever makes them, and tell the other side so. Spans hold the host alone: paths and queries hold keys. */
export function traceHttpClient(http: HttpClient, tracer: Tracer): HttpClient {
  return {
    send(request) {
      const method = request.method ?? 'GET';
      const host = maskUrl(request.url);
      return tracer.follow(
        { name: `${method} ${host}`, kind: 'client', attributes: { 'http.request.method': method, 'server.address': host } },
        () => {
          const trace = currentTrace();
          if (trace === undefined) return http.send(request);
          return http.send({ ...request, headers: { ...request.headers, traceparent: formatTraceparent(trace) } });
        },
        ({ status }) => ({
          attributes: { 'http.response.status_code': status },
          ...(status >= 400 ? { error: String(status) } : {}),
        }),
      );
    },
    close: () => http.close(),
  };
}
