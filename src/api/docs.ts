import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router } from 'express';
import { renderErrorList, renderErrorPage } from './error-pages.ts';
import { listHttpErrors } from './http-errors.ts';
import { noteRoute } from './middleware/request-log.ts';
import { API_PREFIX } from './openapi.ts';

/** Everything comes from here; the renderer sets style attributes, so that styles alone may be inline. */
const DOCS_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

const ASSETS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

const DOCS_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>chainfolio API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
</head>
<body>
<div id="docs"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const START_SCRIPT = `SwaggerUIBundle({
  url: '${API_PREFIX}/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  // The badge would send the document's address to a server elsewhere.
  validatorUrl: null,
});
`;

/** The pages people read: `/docs`, rendered in the browser without anything from outside, `/docs/errors`, and a page for each code. */
export function createDocsRouter(): Router {
  const assetsDir = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = Router();
  router.get('/', (_request, response) => {
    noteRoute(response, '/');
    response.redirect(302, '/docs');
  });
  router.use('/docs', (_request, response, next) => {
    response.setHeader('Content-Security-Policy', DOCS_POLICY);
    response.setHeader('Cache-Control', 'public, max-age=3600');
    next();
  });
  const text = (path: string, type: string, body: string): void => {
    router.get(path, (_request, response) => {
      noteRoute(response, path);
      response.type(type).end(body);
    });
  };
  text('/docs', 'html', DOCS_PAGE);
  text('/docs/start.js', 'js', START_SCRIPT);
  text('/docs/errors', 'html', renderErrorList());
  const errorPages = new Map<string, string>(listHttpErrors().map((face) => [face.code, renderErrorPage(face)]));
  router.get('/docs/errors/:code', (request, response, next) => {
    const page = errorPages.get(request.params.code);
    if (page === undefined) return next();
    noteRoute(response, '/docs/errors/{code}');
    response.type('html').end(page);
  });
  for (const name of ASSETS) {
    router.get(`/docs/${name}`, (_request, response) => {
      noteRoute(response, `/docs/${name}`);
      response.sendFile(name, { root: assetsDir, cacheControl: false });
    });
  }
  return router;
}
