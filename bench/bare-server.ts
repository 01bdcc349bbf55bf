import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** The ceiling: Node's HTTP server with an answer made before, head and body, and no thought for the request. Argument: a file made by `saveAnswer`. */
const { headers, body }: { headers: string[]; body: string } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
const bytes = Buffer.from(body);

createServer((_request, response) => {
  response.writeHead(200, headers).end(bytes);
}).listen(Number(process.env.PORT), '127.0.0.1');
